import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { plot } from "../../../runtime/figures/plot.js";
import { plotResponses } from "../../../runtime/figures/responses.js";
import type { Metrics } from "../../../runtime/training/metrics.js";

function run(steps: number, error: (step: number) => number): Metrics[] {
  const common = { epoch: 0, loss: 1, seconds: 0 };
  return Array.from({ length: steps }, (_, i): Metrics[] => {
    const step = i + 1;
    const line = {
      ...common,
      kind: "step",
      step,
      error: error(step),
      learningRate: 0.1,
      imagesPerSecond: 1,
      waiting: 0,
    } as const;
    const validation = { ...common, kind: "validation", step, error: error(step) + 0.02, error5: 0 } as const;
    return step % 100 === 0 ? [line, validation] : [line];
  }).flat();
}

describe("training curves", () => {
  const slow = { name: "plain <56>", metrics: run(1000, (step) => 0.9 - 0.0006 * step) };
  const fast = { name: "residual", metrics: run(600, (step) => 0.9 * Math.exp(-step / 80)) };

  it("are a dashed and a solid line for each run, whose names stand in the legend", async () => {
    const svg = plot([slow, { ...slow, name: "b" }], { title: "a & b" });
    expect(svg.match(/<path d="M[^"]*" fill="none"[^>]*stroke-dasharray="4 3"/g)).toHaveLength(2);
    expect(svg.match(/stroke-width="2\.2"/g)).toHaveLength(2);
    expect(svg).toContain(">plain &lt;56&gt;</text>");
    expect(svg).toContain(">a &amp; b</text>");
    expect(svg.match(/<circle/g)).toHaveLength(20);
    const { data, info } = await sharp(Buffer.from(svg)).raw().toBuffer({ resolveWithObject: true });
    // The second curve, #d55e00, lies on the first.
    let orange = 0;
    for (let i = 0; i < data.length; i += info.channels) if (data[i]! > 180 && data[i + 2]! < 60) orange++;
    expect(orange).toBeGreaterThan(300);
  });

  it("have a logarithmic axis where errors span far, unless told otherwise", () => {
    const axis = (svg: string): string[] => [...svg.matchAll(/class="y"[^>]*>([^<]+)</g)].map(([, text]) => text!);
    expect(axis(plot([slow]))).toContain("0");
    expect(axis(plot([fast]))).toEqual(expect.arrayContaining(["0.1", "1", "10"]));
    expect(axis(plot([fast], { log: false }))).toContain("0");
    expect(axis(plot([slow], { top: 0.2 }))).toEqual(["0", "5", "10", "15", "20"]);
  });

  it("fall where the error falls", () => {
    const d = /<path d="(M[^"]*)" fill="none"[^>]*stroke-width="2.2"/.exec(plot([slow]))![1]!;
    const points = [...d.matchAll(/([\d.]+),([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    expect(points).toHaveLength(10);
    points.slice(1).forEach(([x, y], i) => {
      expect(x).toBeGreaterThan(points[i]![0]);
      expect(y).toBeGreaterThan(points[i]![1]);
    });
  });
});

describe("layer responses", () => {
  it("are drawn in order and sorted", () => {
    const layers = [0.5, 2, 1].map((std, index) => ({ path: `conv${index}`, std }));
    const svg = plotResponses([{ name: "net", layers }]);
    expect(svg).toContain("layer index (original)");
    const heights = [...svg.matchAll(/<path d="(M[^"]*)" fill="none" stroke="#0072b2"/g)].map(([, d]) =>
      [...d!.matchAll(/,([\d.]+)/g)].map(([, y]) => Number(y)),
    );
    expect(heights).toHaveLength(2);
    expect(heights[1]).toEqual([...heights[1]!].sort((a, b) => a - b));
    expect(heights[0]).not.toEqual(heights[1]);
  });
});
