/** One phase of a training: what it needs is opened and compared with what was there before, then it takes its course. */
import { isDeepStrictEqual } from "node:util";
import { sizeOfMean } from "../../compiler/mean-image.js";
import type { Model } from "../../compiler/model.js";
import type { PlannedPhase } from "../../compiler/training/phase-plan.js";
import { emitTrainingGraphs } from "../../compiler/training/graphs.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import type { KeptProposals } from "../data/detection/proposals.js";
import type { BatchShare } from "../data/shared-plan.js";
import { onFirst } from "../parallel/agree.js";
import { machineBlockSize } from "../onnx/blocked-layout.js";
import { chooseDevice } from "../onnx/device.js";
import { newestCheckpoint, repairBest, type StateValues } from "./checkpoint.js";
import { Course, type CourseResult } from "./course.js";
import { openDeviceEngine } from "./device-engine.js";
import type { DividedEngine } from "./engine.js";
import { lengthened } from "./fit.js";
import { folderRecords } from "./folder-records.js";
import { needsStatistics, type FeedOptions, type StatisticsStore } from "./feed.js";
import { checkSame, identityOf, type Identity } from "./identity.js";
import { initialState } from "./initial-state.js";
import type { Lock } from "./lock.js";
import { openMetrics, type MetricsFile } from "./metrics.js";
import { planTraining, tellBeginning, type Programs, type TrainingPlan } from "./plan.js";
import { checkAlike, checkReplicas } from "./parallel/replicas.js";
import { RankEngine } from "./parallel/rank-engine.js";
import { batchShare } from "./parallel/share.js";
import { ranksInfo } from "./parallel/team.js";
import type { Team } from "./parallel/team.js";
import { beforePhase, type Position } from "./position.js";
import { noRecords } from "./records.js";
import { statisticsFile } from "./open-feed.js";
import type { TrainEvent, TrainOptions, TrainRequest, TrainResult } from "./request.js";
import { openRemoteEngine } from "./remote-engine.js";
import { directoryOf, writeConfig, type RunFolder } from "./run-folder.js";
import type { TrainingLength } from "./schedule.js";
import { openSubject, type Subject, type SubjectRequest } from "./subject.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";

/** What all phases have in common. */
export interface Session {
  /** With the whole recipe. */
  readonly request: TrainRequest;
  readonly options: TrainOptions;
  /** With the initial values that the recipe says. */
  readonly model: Model;
  readonly run: RunFolder;
  readonly lock: Lock;
  readonly emit: (event: TrainEvent) => void;
  readonly team: Team;
}

/** A phase, and where it begins. */
export interface PhaseBeginning {
  readonly planned: PlannedPhase;
  /** From 0, and of how many. */
  readonly index: number;
  readonly count: number;
  readonly position: Position;
  /** Weights before its first update, by path; others begin as the network says. */
  readonly weights: ParameterValues | undefined;
  /** It goes on from the newest checkpoint, where there is one. */
  readonly resume: boolean;
  /** What it learns from, where these are kept proposals. */
  readonly proposals?: KeptProposals;
}

/** How it ended, and where it is kept. */
export type PhaseResult = CourseResult & Pick<TrainResult, "run">;

/** With everything that is opened closed again. */
export async function trainPhase(session: Session, beginning: PhaseBeginning): Promise<PhaseResult> {
  const { options, model, run, lock, emit, team } = session;
  const { planned, index, count, proposals } = beginning;
  const { recipe } = planned;
  const request = { ...session.request, recipe };
  const { measures } = planned;
  const asked = { ...request, model, measures, ...(proposals && { proposals }) };
  const { ranks, group } = team;
  const { gradients = "fp32" } = options;
  const share = batchShare(recipe, ranks);
  const feed = await openOnAll(asked, session, share);
  let inner: DividedEngine | undefined;
  let metrics: MetricsFile | undefined;
  try {
    const plan = await planOf(session, beginning, feed, share);
    const begun = await whereToBegin(session, beginning, plan);
    const { position, identity } = begun;
    const [program, ...others] = begun.algorithms ? plan.build(begun.algorithms) : plan.programs;
    const graphs = emitTrainingGraphs(program, recipe.accumulate, others, share);
    feed.checkShape(graphs.stepShape);
    const open = options.sameThread ? openDeviceEngine : openRemoteEngine;
    await group.together(async () => {
      inner = await open(graphs, {
        device: options.device ?? "auto",
        ...(options.threads !== undefined && { threads: options.threads }),
      });
      await inner.setState(begun.state);
    });
    const engine = share ? new RankEngine(inner!, ranks, graphs, team.stop, gradients === "fp16") : inner!;
    const { length } = plan;
    const before = beforePhase(position);
    await group.onFirst(async () => {
      await writeSettings(session, { ...length, steps: before + length.steps });
      metrics = await openMetrics(run.metrics, position);
    });
    const { name } = recipe;
    emit({
      kind: "start",
      device: engine.device,
      deviceReason: engine.deviceReason,
      step: position.step,
      length,
      ...(count > 1 && { phase: { name, number: index + 1, of: count, before } }),
      batch: recipe.batch,
      ...(share && { ranks: ranksInfo(ranks, gradients) }),
      tuned: Object.keys(program.options.algorithms ?? {}).length,
    });
    const { meanImage } = feed.trained;
    const sized = meanImage && sizeOfMean(model, meanImage);
    if (sized !== undefined) emit({ kind: "notice", message: sized });
    const phase = { ...(count > 1 && { name }), before, isLast: index === count - 1 };
    const { trained } = feed;
    const { images } = options;
    const { step } = position;
    const records = metrics
      ? folderRecords({ run, lock, metrics, program, identity, length, trained, step, images })
      : noRecords(run);
    const course = new Course(
      {
        ...{ request, options, records, feed, engine, program, length, phase, group, emit },
        async beforeKeeping(state, at) {
          await team.exchange();
          await checkReplicas(ranks, state, at);
        },
      },
      position,
    );
    const result = { ...(await course.run()), run };
    await team.exchange();
    if (result.over && planned.keepsProposals) {
      const how = { options, device: engine.device, group, emit };
      await feed.keepProposals?.(run.proposals(name), result.over.weights, how);
    }
    return result;
  } finally {
    metrics?.close();
    await feed.close();
    await inner?.close();
  }
}

function feedOptions(
  { options: { workers, strict, signal }, run, emit, team: { cores } }: Session,
  share: BatchShare | undefined,
): FeedOptions {
  return {
    ...(workers !== undefined && { workers }),
    ...(cores !== undefined && { cores }),
    ...(strict !== undefined && { strict }),
    ...(signal && { signal }),
    ...(share && { share }),
    onUnreadable: (message) => emit({ kind: "warning", message }),
    statistics: statisticsFile(run.statistics),
  };
}

/** What is measured of the training images the first rank measures, and all others are given. */
async function openOnAll(asked: SubjectRequest, session: Session, share: BatchShare | undefined): Promise<Subject> {
  const { ranks, group } = session.team;
  const how = feedOptions(session, share);
  let feed: Subject | undefined;
  const isMeasured = needsStatistics([...asked.recipe.train, ...asked.recipe.evaluate]);
  const kept = isMeasured
    ? await onFirst(
        ranks,
        async () => {
          feed = await openSubject(asked, how);
          return how.statistics!.load();
        },
        true,
      )
    : undefined;
  const statistics: StatisticsStore = { load: () => Promise.resolve(kept), save: () => Promise.resolve() };
  await group.together(async () => {
    feed ??= await openSubject(asked, ranks.rank === 0 ? how : { ...how, statistics });
  });
  return feed!;
}

/** What is computed, and what this training is to be told from others by. */
interface Plan extends TrainingPlan {
  readonly programs: Programs;
  readonly identity: Identity;
}

async function planOf(
  { request, options, model, emit, team }: Session,
  { planned: { recipe }, weights: before, resume }: PhaseBeginning,
  feed: Subject,
  share: BatchShare | undefined,
): Promise<Plan> {
  const { weights, version, algorithms = {} } = options;
  const { data, names } = request;
  const { device } = await chooseDevice(options.device ?? "auto");
  const blockSize = device === "cpu" ? await machineBlockSize() : 0;
  const settings = feed.settings(device, blockSize);
  const own = share && { batch: share.count, lossShare: share.count / share.of / share.parts };
  const [first, ...others] = settings.map((each) => ({ ...each, ...own }));
  const plan = planTraining(model, recipe, feed, [first!, ...others]);
  const programs = plan.build(algorithms);
  const begun = resume ? undefined : { weights: before };
  tellBeginning({ model, recipe, data, feed, settings: plan.settings[0], weights, before: begun }, emit);
  const identity = identityOf({ model, recipe: request.recipe, data: feed.data, names, weights, version });
  await checkAlike(team.ranks, identity);
  return { ...plan, programs, identity };
}

interface Begun {
  readonly position: Position;
  readonly state: StateValues;
  readonly identity: Identity;
  /** By which operations were written when it began, where that is not as they would be now. */
  readonly algorithms?: AlgorithmChoices;
}

/** At the beginning, or at the newest checkpoint of the same training: where the first rank finds it. */
function whereToBegin(session: Session, beginning: PhaseBeginning, plan: Plan): Promise<Begun> {
  return session.team.group.onFirst(() => findBeginning(session, beginning, plan));
}

async function findBeginning(
  { model, run, emit }: Session,
  { planned: { recipe }, position: start, weights, resume }: PhaseBeginning,
  { programs: [program], length, identity }: Plan,
): Promise<Begun> {
  const warn = (message: string): void => emit({ kind: "warning", message });
  let unsure: readonly string[] = [];
  const compare = (begun: Identity): void => void (unsure = checkSame(begun, identity, run.folder));
  const found = resume ? await newestCheckpoint(run.checkpoints, program.state, compare) : undefined;
  [...(found?.warnings ?? []), ...unsure].forEach(warn);
  if (!found) {
    if (resume) warn(`${run.folder}: no checkpoint to go on from; beginning anew`);
    const state = initialState(model, program.state, recipe.seed, weights);
    return { position: start, state, identity };
  }
  const { checkpoint } = found;
  const { best, warning } = await repairBest(run.checkpoints, checkpoint, program.state);
  if (warning !== undefined) warn(warning);
  const { best: _before, ...rest } = checkpoint.position;
  const position = { ...rest, ...(best && { best }) };
  const message = lengthened(recipe, position, checkpoint.length, length, run.folder);
  if (message !== undefined) emit({ kind: "notice", message });
  // What was measured since then would round otherwise.
  const { algorithms = {} } = checkpoint;
  const isSame = isDeepStrictEqual(algorithms, program.options.algorithms);
  // What began with the weights of a file goes on as that, whether or not they are named again.
  const before = checkpoint.identity.content;
  return {
    position,
    state: checkpoint.state,
    ...(!isSame && { algorithms }),
    identity: before ? { ...identity, content: { ...identity.content!, weights: before.weights } } : identity,
  };
}

/** What was asked for, kept beside what comes of it. */
async function writeSettings({ request, options, model, run }: Session, length: TrainingLength): Promise<void> {
  const { recipe, data, names } = request;
  const { version } = options;
  await writeConfig(run, {
    ...names,
    seed: recipe.seed,
    network: model.name,
    settings: recipe,
    directory: directoryOf(run),
    ...(data.heldOut && { heldOut: data.heldOut }),
    ...length,
    ...(version !== undefined && { version }),
  });
}
