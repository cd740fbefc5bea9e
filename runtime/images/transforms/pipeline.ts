/** A list of transforms, checked once and then run on many images. */
import { channelsOf, forChannels, type Normalization } from "../../../compiler/preprocess.js";
import { accepts, expects } from "../../../compiler/words/values.js";
import type { TransformSettings as CompleteSettings } from "../../../compiler/words/transforms.js";
import { nearest } from "../../../grammar/nearest.js";
import type { Size } from "../image.js";
import type { Box } from "../box.js";
import { toGrey } from "../grey.js";
import { ImageError } from "../image.js";
import { randomStream, type Random } from "../../random.js";
import { DataError } from "../../data-error.js";
import { boxesIn, infoOf, type ImageInfo, type PlacedBox } from "./boxes.js";
import { allowedShrink, frameSize, pixelsIn, shrunkFrame, wholeFrame, type Frame, type Shrink } from "./frame.js";
import { asImage, type Content, type Raster } from "./raster.js";
import type { Statistics } from "../statistics.js";
import { TRANSFORM_KINDS, type TransformSettings } from "./index.js";
import type { GeometryTransform, PixelContext, TransformKind } from "./transform.js";

/** An image that was found but not decoded yet. */
export interface LazyImage {
  readonly size: Size;
  /**
   * Decodes it.
   *
   * @param shrink how many times smaller it may be given, in both directions; more pixels may be given all the same
   */
  readonly pixels: (shrink: Shrink) => Raster | Promise<Raster>;
  /** Round the objects in it, where they are known. */
  readonly boxes?: readonly Box[];
}

/** What comes out: pixels, and where there are boxes, those that are still seen, and how the source is seen. */
export interface Transformed extends Raster {
  readonly boxes?: readonly PlacedBox[];
  /** @internal How the source is seen: masks are cut out by it. */
  readonly frame?: Frame;
}

/** An image whose geometry is settled before it is decoded. */
export interface Begun {
  /** How many times smaller it may be decoded. */
  readonly shrink: Shrink;
  /** @throws {ImageError} where it can't be scaled or cut as asked */
  readonly finish: (pixels: Raster) => readonly Transformed[];
}

/** What the random numbers of an image depend on: nothing else does, so the same image comes out on any thread. */
export interface SampleKey {
  readonly seed: number;
  readonly epoch: number;
  /** Of the sample in its split. */
  readonly index: number;
}

/** For transforms that leave nothing to chance. */
export const NO_CHANCE: SampleKey = { seed: 0, epoch: 0, index: 0 };

/** Transforms, ready to run: the same image and key give the same pixels. */
export interface Pipeline {
  /** Height and width of what comes out, where they are the same for all images. */
  readonly size: Size | undefined;
  /** Images that come out of one. */
  readonly views: number;
  /** 1 where images are turned to grey as soon as they are decoded; every transform sees them so. */
  readonly channels: 1 | 3;
  /** The first transform that moves pixels as boxes can't. */
  readonly displaces: string | undefined;
  /** The {@link views} that come out of one image, in order. */
  readonly run: (source: LazyImage, key: SampleKey) => Promise<readonly Transformed[]>;
  /** The same in two steps, for pixels that are there: `begin(size, key).finish(pixels)`. */
  readonly begin: (size: Size, key: SampleKey, boxes?: readonly Box[]) => Begun;
  /**
   * Size and scale of the first view of an image of a size.
   *
   * @throws {ImageError} where it can't be scaled or cut as asked
   */
  readonly info: (size: Size, key: SampleKey) => ImageInfo;
  /**
   * Of boxes in an image of a size those that its first view still shows. Nothing is decoded for it.
   *
   * @throws {ImageError} where it can't be scaled or cut as asked
   */
  readonly kept: (size: Size, key: SampleKey, boxes: readonly Box[]) => readonly PlacedBox[];
  /**
   * Every size that the first view of an image of a size may have.
   *
   * @throws {ImageError} where it can't be scaled or cut as asked
   */
  readonly sizes: (size: Size) => readonly Size[];
}

/** What is known of the images and of the network. */
export interface PipelineOptions {
  /** Height and width of the images that go in, where they are all the same. */
  readonly from?: Size;
  /** What was measured on the training images; `subtract_mean` needs it. */
  readonly statistics?: Statistics;
  /** An image of more pixels than this is an ImageError. */
  readonly mostPixels?: number;
  /** Channels of the network: 1 for images in grey. Default: as `normalize` says it in `color`, else 3. */
  readonly channels?: 1 | 3;
}

interface Step {
  readonly kind: TransformKind;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Checks transforms and makes them runnable.
 *
 * @throws {DataError} naming the transform and the setting: unknown, out of bounds, or not possible at that place
 */
export function preparePipeline(transforms: readonly TransformSettings[], options: PipelineOptions = {}): Pipeline {
  const { statistics, mostPixels = Infinity } = options;
  const steps = transforms.map(completed);
  const channels = channelsFor(transforms, options);
  let size = options.from;
  let content: Content = "bytes";
  let views = 1;
  for (const [at, { kind, values }] of steps.entries()) {
    if (!kind.takes.includes(content)) {
      const change = steps.slice(0, at).find((step) => !kind.takes.includes(contentAfter(step, "bytes")));
      if (!change || !kind.takes.includes("bytes")) {
        throw new DataError(`${kind.kind}: has to come after what subtracts the mean: normalize or subtract_mean`);
      }
      throw new DataError(`${kind.kind}: has to come before ${change.kind.kind}, which changes what the values mean`);
    }
    content = contentAfter({ kind, values }, content);
    if (kind.moves) {
      size = asDataError(kind.kind, () => kind.size(values, size));
      views *= kind.views ?? 1;
    } else {
      // Images without a size of their own had one size when they were measured.
      if (kind.measured) size = checkMeasured(kind.kind, values, size, channels, options.statistics);
    }
  }
  if (size && size[0] * size[1] > mostPixels) {
    throw new DataError(
      `makes images of ${size.join("x")}, more than the ${mostPixels} pixels that a network may be given`,
    );
  }
  // Geometry at the front is known before the image is decoded.
  const first = steps.findIndex(({ kind }) => !kind.moves);
  const before = first < 0 ? steps : steps.slice(0, first);
  const after = first < 0 ? [] : steps.slice(first);
  const displaces = steps.find(({ kind }) => !kind.moves && kind.displaces)?.kind.kind;
  const checkFrame = (frame: Frame): void => {
    const [height, width] = frameSize(frame);
    if (height * width <= mostPixels) return;
    throw new ImageError(`${width}x${height} is more than the ${mostPixels} pixels that a network may be given`);
  };
  const begin = (from: Size, key: SampleKey, given?: readonly Box[]): Begun => {
    const frames = before.reduce((so, step, at) => moved(so, step, draws(key, at)), [wholeFrame(from)] as Frame[]);
    frames.forEach(checkFrame);
    if (given && displaces) throw new DataError(`${displaces}: moves pixels, and the boxes of objects can't follow`);
    const boxes = given?.map((box, index) => ({ box, index }));
    return {
      shrink: Math.min(...frames.map(allowedShrink)) as Shrink,
      finish(pixels) {
        const raster = channels === 1 ? toGrey(asImage(pixels)) : pixels;
        const decoded: Size = [raster.height, raster.width];
        // A smaller source shows the same: boxes go by the frame of the whole one.
        let images = frames.map((frame) =>
          whole(pixelsIn(shrunkFrame(frame, from, decoded), raster), frame, boxes && boxesIn(frame, boxes)),
        );
        after.forEach((step, at) => {
          const context = { random: draws(key, before.length + at), channels, ...(statistics && { statistics }) };
          images = images.flatMap((image) => applied(image, step, context));
        });
        return images.map(({ raster, frame, past, boxes }) => {
          checkFrame(frame);
          const shown = pixelsIn(frame, raster);
          return boxes ? { ...shown, boxes: boxesIn(frame, boxes), frame: [...past, ...frame] } : shown;
        });
      },
    };
  };
  const geometry = steps.flatMap((step, at) => (step.kind.moves ? [{ step, kind: step.kind, at }] : []));
  const firstView = (from: Size, key: SampleKey): Frame =>
    geometry.reduce((frame, { step, at }) => moved([frame], step, draws(key, at))[0]!, wholeFrame(from));
  return {
    size,
    views,
    channels,
    displaces,
    begin,
    info: (from, key) => infoOf(firstView(from, key), from),
    kept: (from, key, boxes) =>
      boxesIn(
        firstView(from, key),
        boxes.map((box, index) => ({ box, index })),
      ),
    sizes: (from) =>
      geometry.reduce<readonly Size[]>(
        (sizes, { step, kind }) =>
          distinct(
            sizes.flatMap(
              (before) =>
                kind.sizes?.(step.values, before) ?? [frameSize(moved([wholeFrame(before)], step, () => 0)[0]!)],
            ),
          ),
        [from],
      ),
    async run(source, key) {
      const { shrink, finish } = begin(source.size, key, source.boxes);
      return finish(await source.pixels(shrink));
    },
  };
}

/**
 * What the transforms and the network say of channels, which must agree.
 *
 * @throws {DataError}
 */
function channelsFor(transforms: readonly TransformSettings[], { channels }: PipelineOptions): 1 | 3 {
  const normalize = transforms.findLast(({ kind }) => kind === "normalize");
  const color = normalize?.["color"] as Normalization["color"] | undefined;
  const said = color === undefined ? undefined : channelsOf({ color });
  if (said !== undefined && channels !== undefined && said !== channels) {
    throw new DataError(
      `normalize: color ${color} gives ${plural(said)}, the network takes ${plural(channels)}` +
        (channels === 1 ? ": write color: grey" : ""),
    );
  }
  const chosen = said ?? channels ?? 3;
  for (const { kind, ...settings } of transforms) {
    for (const [setting, numbers] of Object.entries(settings)) {
      if (TRANSFORM_KINDS.get(kind)?.parameters[setting]?.type.kind !== "channels") continue;
      if (!Array.isArray(numbers) || forChannels(numbers as number[], chosen)) continue;
      throw new DataError(
        `${kind}: ${setting} has ${(numbers as number[]).length} numbers, and images of ${plural(chosen)} take ${chosen}`,
      );
    }
  }
  const colourOnly = chosen === 1 && transforms.find(({ kind }) => TRANSFORM_KINDS.get(kind)?.colourOnly === true);
  if (colourOnly) throw new DataError(`${colourOnly.kind}: changes colours, and the images are grey`);
  return chosen;
}

function plural(channels: number): string {
  return channels === 1 ? "1 channel" : `${channels} channels`;
}

/** The transforms with every setting: what is kept means the same wherever defaults change. */
export function completeTransforms(transforms: readonly TransformSettings[]): readonly CompleteSettings[] {
  return transforms.map((transform) => {
    const { kind, values } = completed(transform);
    return { kind: kind.kind, ...values };
  });
}

/** Whether it does something else each time, and is left out or replaced where nothing is left to chance. */
export function isLeftToChance(transform: TransformSettings): boolean {
  return TRANSFORM_KINDS.get(transform.kind)?.deterministic !== undefined;
}

/** The transforms with nothing left to chance: what evaluation does where a recipe doesn't say. */
export function deterministicTransforms(transforms: readonly TransformSettings[]): readonly TransformSettings[] {
  return transforms.flatMap((transform) => {
    const { kind, values } = completed(transform);
    return kind.deterministic?.(values) ?? [transform];
  });
}

/** Whether it moves pixels rather than changing their values. */
export function isGeometry({ kind }: TransformSettings): boolean {
  return TRANSFORM_KINDS.get(kind)?.moves === true;
}

/** The transforms before the first that needs statistics, or undefined where none does. */
export function beforeStatistics(transforms: readonly TransformSettings[]): readonly TransformSettings[] | undefined {
  const at = transforms.findIndex((transform) => {
    const { kind } = completed(transform);
    return !kind.moves && kind.measured === true;
  });
  return at < 0 ? undefined : transforms.slice(0, at);
}

interface Image {
  readonly raster: Raster;
  readonly frame: Frame;
  /** How the raster shows the source. */
  readonly past: Frame;
  /** In the raster. */
  readonly boxes: readonly PlacedBox[] | undefined;
}

function contentAfter({ kind, values }: Step, before: Content): Content {
  if (!kind.moves) return kind.gives;
  return kind.gives?.(values) ?? before;
}

/** Every transform of a list has random numbers of its own: adding one changes nothing in the others. */
function draws({ seed, epoch, index }: SampleKey, position: number): Random {
  let random: Random | undefined;
  return () => (random ??= randomStream(`augment ${seed} ${epoch} ${index} ${position}`))();
}

function moved(frames: readonly Frame[], { kind, values }: Step, random: Random): Frame[] {
  return frames.flatMap((frame) => {
    const result = (kind as GeometryTransform).apply(frame, values, random);
    return isFrame(result) ? [result] : [...result];
  });
}

function distinct(sizes: readonly Size[]): readonly Size[] {
  return [...new Map(sizes.map((size) => [size.join("x"), size])).values()];
}

function isFrame(result: Frame | readonly Frame[]): result is Frame {
  return !Array.isArray(result[0]);
}

function applied(image: Image, step: Step, context: PixelContext): Image[] {
  const { raster, frame, past, boxes } = image;
  if (step.kind.moves) return moved([frame], step, context.random).map((each) => ({ ...image, frame: each }));
  const changed = step.kind.apply(pixelsIn(frame, raster), step.values, context);
  return [whole(changed, [...past, ...frame], boxes && boxesIn(frame, boxes))];
}

function whole(raster: Raster, past: Frame, boxes: Image["boxes"]): Image {
  return { raster, frame: wholeFrame([raster.height, raster.width]), past, boxes };
}

/** The transform with all its settings, or an error. */
function completed({ kind: name, ...settings }: TransformSettings): Step {
  const kind = TRANSFORM_KINDS.get(name);
  if (!kind) throw new DataError(`no transform is named ${name}${suggestion(name, TRANSFORM_KINDS.keys())}`);
  const given = new Map(Object.entries(settings).filter(([, value]) => value !== undefined));
  for (const setting of given.keys()) {
    if (Object.hasOwn(kind.parameters, setting)) continue;
    throw new DataError(`${name}: no setting is named ${setting}${suggestion(setting, Object.keys(kind.parameters))}`);
  }
  const values: Record<string, unknown> = {};
  for (const [setting, parameter] of Object.entries(kind.parameters)) {
    const value = given.get(setting) ?? parameter.default;
    if (value === undefined && parameter.presence === "optional") continue;
    if (value === undefined) throw new DataError(`${name}: ${setting} is missing: ${expects(parameter)}`);
    if (!accepts(parameter, value)) {
      throw new DataError(`${name}: ${setting} must be ${expects(parameter)}, not ${JSON.stringify(value)}`);
    }
    values[setting] = value;
  }
  const conflict = kind.conflict?.(values);
  if (conflict !== undefined) throw new DataError(`${name}: ${conflict}`);
  return { kind, values };
}

function suggestion(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates);
  return near === undefined ? "" : ` (did you mean ${near}?)`;
}

function checkMeasured(
  name: string,
  values: Readonly<Record<string, unknown>>,
  size: Size | undefined,
  channels: 1 | 3,
  statistics: Statistics | undefined,
): Size | undefined {
  if (!statistics) throw new DataError(`${name}: needs the mean of the training images, which was not measured`);
  const measured = statistics.channelMean.length;
  if (measured !== channels) {
    throw new DataError(`${name}: the mean was measured of ${plural(measured)}, the images have ${plural(channels)}`);
  }
  if (values["per"] !== "pixel") return size;
  if (!size) return [statistics.height, statistics.width];
  if (size[0] !== statistics.height || size[1] !== statistics.width) {
    throw new DataError(
      `${name}: the mean image is ${statistics.height}x${statistics.width} and the images are ${size.join("x")} there`,
    );
  }
  return size;
}

/** What a transform says of sizes, as a mistake in the list and not in an image. */
function asDataError<T>(name: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof ImageError) throw new DataError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}
