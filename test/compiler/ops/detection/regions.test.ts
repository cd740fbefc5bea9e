import fc from "fast-check";
import { describe, it } from "vitest";
import { integers, largeEnough, rowsOf, tensor } from "./reference.js";
import { check, variants } from "./run.js";
import { anyBox, boxes, counts, indices, info, input, regions, values } from "./samples.js";

describe("images", () => {
  const image = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    height: fc.integer({ min: 1, max: 5 }),
    width: fc.integer({ min: 1, max: 5 }),
  });

  it("are known by the rows that are given, or fill their tensor", async () => {
    const cases = image.chain(({ batch, height, width }) =>
      fc.tuple(values("N C H W", [batch, 3, height, width], fc.constant(0)), fc.boolean(), info(batch)),
    );
    await fc.assert(
      fc.asyncProperty(cases, variants, async ([x, known, rows], variant) => {
        const [batch, , height, width] = x.shape as [number, number, number, number];
        const own = Array.from({ length: batch }, () => [height, width, height, width, 1, 1]).flat();
        const given = known ? { ...rows, sizes: "M 6" } : input("M 6", [0, 6], []);
        const expected = tensor([batch, 6], known ? rows.data : own);
        await check("image_info", [x, given], {}, [expected], variant);
      }),
    );
  });

  it("have sizes and scales, and are regions themselves", async () => {
    const columns = { size: [0, 1], original: [2, 3], scale: [4, 5], enlargement: [5] };
    const what = fc.constantFrom(...(Object.keys(columns) as (keyof typeof columns)[]));
    await fc.assert(
      fc.asyncProperty(
        counts.chain(({ batch }) => info(batch)),
        what,
        fc.boolean(),
        variants,
        async (x, which, flag, variant) => {
          const wanted = columns[which];
          const rows = rowsOf(x).map((row) => wanted.map((column) => row[column]!));
          const shape = [rows.length, ...(flag ? [1] : []), wanted.length];
          await check("image_values", [x], { what: which, apart: flag }, [tensor(shape, rows.flat())], variant);
          const whole = rowsOf(x).flatMap(([h, w], n) => [n, 0, 0, w! - (flag ? 1 : 0), h! - (flag ? 1 : 0)]);
          await check("whole_images", [x], { inclusive: flag }, [tensor([rows.length, 5], whole)], variant);
        },
      ),
    );
  });
});

describe("regions", () => {
  const cases = counts.chain(({ batch, rows }) =>
    fc.record({
      of: regions(rows, batch),
      others: boxes("R 4", [rows]),
      images: info(batch),
      batch: fc.constant(batch),
    }),
  );

  it("are an image and a box, which another takes the place of where it has an area", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.boolean(), variants, async ({ of, others }, inclusive, variant) => {
        const rows = rowsOf(of);
        const count = rows.length;
        const own = rows.map((row) => row.slice(1));
        await check("region_boxes", [of], {}, [tensor([count, 1, 4], own.flat())], variant);
        const corners = rowsOf(others);
        const exchanged = rows.flatMap(([image], index) => {
          const hasArea = largeEnough(own[index]!, 0, { inclusive, strict: true });
          return [image!, ...(hasArea ? corners : own)[index]!];
        });
        await check("with_boxes", [of, others], { inclusive }, [tensor([count, 5], exchanged)], variant);
      }),
    );
  });

  it("and detections are given their image's row", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.boolean(), variants, async ({ of, images }, apart, variant) => {
        const known = rowsOf(images);
        const of_ = rowsOf(of).map(([image]) => image!);
        const shape = [of_.length, ...(apart ? [1] : []), 6];
        const x = apart ? { ...images, sizes: "N 1 6", shape: [known.length, 1, 6] } : images;
        const expected = tensor(
          shape,
          of_.flatMap((image) => known[image]!),
        );
        await check("rows_of_image", [x, of], {}, [expected], variant);
        const picks = indices(
          "D 3",
          [of_.length, 3],
          of_.flatMap((image) => [image, 7, 8]),
        );
        await check("rows_of_image", [x, picks], {}, [expected], variant);
        await check("rows_of_image", [x, indices("D", [of_.length], of_)], {}, [expected], variant);
      }),
    );
  });

  it("are made of boxes; of none comes one without area", async () => {
    const found = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), anyBox), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(found, variants, async (rows, variant) => {
        const corners = input(
          "D 4",
          [rows.length, 4],
          rows.flatMap(([, box]) => box),
        );
        const of = indices(
          "D",
          [rows.length],
          rows.map(([image]) => image),
        );
        const all = rows.length === 0 ? [[0, 0, 0, -1, -1]] : rows.map(([image, box]) => [image, ...box]);
        await check("as_regions", [corners, of], {}, [tensor([all.length, 5], all.flat())], variant);
      }),
    );
  });

  it("are joined, empty ones too", async () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(lengths, variants, async (rows, variant) => {
        const parts = rows.map((count, index) => {
          const data = Array.from({ length: 2 * count }, (_, at) => 100 * index + at);
          return input(`${"ABD"[index]!} 2`, [count, 2], data);
        });
        const total = rows.reduce((a, b) => a + b, 0);
        await check(
          "concat_rows",
          parts,
          {},
          [
            tensor(
              [total, 2],
              parts.flatMap((part) => part.data),
            ),
          ],
          variant,
        );
      }),
    );
    const [left, right] = [input("N 2 1", [2, 2, 1], [1, 2, 3, 4]), input("N 1 1", [2, 1, 1], [5, 6])];
    const expected = tensor([2, 3, 1], [1, 2, 5, 3, 4, 6]);
    await check("concat_rows", [left, right], { axis: 1 }, [expected], { opset: 17, open: true });
  });
});

describe("levels", () => {
  const sided = fc
    .tuple(
      fc.integer({ min: 0, max: 40 }),
      fc.constantFrom(1, 7, 56, 111, 112, 113, 224, 448, 449, 896, 3000),
      fc.constantFrom(1, 2, 0.5),
    )
    .map(([x, side, stretch]) => [x, 3, x + side * stretch, 3 + side / stretch]);
  const cases = fc.integer({ min: 0, max: 6 }).chain((rows) => regions(rows, 2, sided));

  it("are torchvision's by area", async () => {
    const how = fc.constantFrom({ min: 2, max: 5 }, { min: 3, max: 4 });
    await fc.assert(
      fc.asyncProperty(cases, how, variants, async (of, range, variant) => {
        const expected = rowsOf(of).map(([, x1, y1, x2, y2]) => {
          const level = Math.floor(4 + Math.log2(Math.sqrt((x2! - x1!) * (y2! - y1!)) / 224) + 1e-6);
          return Math.max(range.min, Math.min(range.max, level)) - range.min;
        });
        const attributes = { rule: "area", canonical_level: 4, canonical_size: 224, ...range };
        await check("assign_level", [of], attributes, [integers([expected.length], expected)], variant);
      }),
      { numRuns: 60 },
    );
  });

  it("put a box without area, or a turned one, on the first", async () => {
    const of = input("R 5", [3, 5], [0, 5, 5, 5, 9, 0, 9, 5, 5, 9, 0, NaN, 5, 9, 9]);
    const attributes = { rule: "area", canonical_level: 4, canonical_size: 224, min: 2, max: 5 };
    await check("assign_level", [of], attributes, [integers([3], [0, 0, 0])], { opset: 17, open: true });
  });

  it("are the two scales of a pyramid round 224 pixels", async () => {
    const how = fc.record({
      factors: fc.constantFrom([1], [0.5, 1], [0.5, 1, 2], [0.25, 0.5, 1, 1.5, 2]),
      inclusive: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, how, variants, async (of, { factors, inclusive }, variant) => {
        const pixel = inclusive ? 1 : 0;
        const chosen = rowsOf(of).map(([, x1, y1, x2, y2]) => {
          const area = Math.fround(Math.fround(x2! - x1! + pixel) * Math.fround(y2! - y1! + pixel));
          const excess = factors.map((factor) => area * factor ** 2 - 224 ** 2);
          const distance = excess.map(Math.abs);
          const first = distance.indexOf(Math.min(...distance));
          const other = first + (excess[first]! > 0 ? -1 : 1);
          const second = other < 0 ? 1 : other === factors.length ? first - 1 : other;
          return [first, factors.length === 1 ? 0 : second];
        });
        for (const second of [false, true]) {
          const expected = chosen.map((both) => both[second ? 1 : 0]!);
          const attributes = { rule: "scale", factors, inclusive, second };
          await check("assign_level", [of], attributes, [integers([expected.length], expected)], variant);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("part the regions, and what was made of them comes back in their order", async () => {
    const assigned = fc
      .integer({ min: 0, max: 7 })
      .chain((rows) => fc.tuple(regions(rows, 2), values("R", [rows], fc.integer({ min: 0, max: 2 }))));
    await fc.assert(
      fc.asyncProperty(assigned, variants, async ([of, level], variant) => {
        const levels = indices("R", level.shape, level.data);
        const all = rowsOf(of);
        const parts = [0, 1, 2].map((number) => {
          const rows = all.flatMap((_, row) => (level.data[row] === number ? [row] : []));
          return { rows, regions: rows.flatMap((row) => all[row]!) };
        });
        for (const [number, part] of parts.entries()) {
          const expected = [tensor([part.rows.length, 5], part.regions), integers([part.rows.length], part.rows)];
          await check("regions_of_level", [of, levels], { level: number }, expected, variant);
        }
        // What is made of a region: two values in a map.
        const made = parts.map(({ rows }, index) =>
          input(
            `${"ABD"[index]!} 2 1`,
            [rows.length, 2, 1],
            rows.flatMap((row) => [row, 10 * row]),
          ),
        );
        const rows = parts.map((part, index) => indices("ABD"[index]!, [part.rows.length], part.rows));
        const expected = tensor(
          [all.length, 2, 1],
          all.flatMap((_, row) => [row, 10 * row]),
        );
        await check("merge_levels", [...made, ...rows, of], {}, [expected], variant);
      }),
    );
  });
});
