/** A training: its phases, one after the other, in one folder. */
import { rm } from "node:fs/promises";
import { recipeProblems } from "../../compiler/recipe-rules.js";
import { planPhases, type PlannedPhase } from "../../compiler/training/phase-plan.js";
import { openProposals, type KeptProposals } from "../data/detection/proposals.js";
import { onFirst, together } from "../parallel/agree.js";
import { SELF } from "../parallel/self.js";
import { beginning } from "./beginning.js";
import { discardLeftovers, newestPhase, newestStep } from "./checkpoint.js";
import { asTrainingError } from "./error.js";
import { checkRequest } from "./fit.js";
import { keepInitial, readInitial } from "./initial-weights.js";
import { lockFolder, type Lock } from "./lock.js";
import { trainPhase, type PhaseBeginning, type Session } from "./one-phase.js";
import { openReports } from "./parallel/reports.js";
import { join } from "./parallel/team.js";
import { START, startOf } from "./position.js";
import type { TrainOptions, TrainRequest, TrainResult } from "./request.js";
import { checkUnused, makeFolder, runFolder, type RunFolder } from "./run-folder.js";
import { emitter, openRunLog, type RunLog } from "./run-log.js";
import { checkSubject } from "./subject.js";

/**
 * Trains a network, or goes on with it.
 *
 * @throws {TrainingError} where model, recipe, data and folder do not fit together, and where the loss stops being a number
 * @throws {SessionError | DataError | FileError} for devices, data and files that can't be used
 */
export async function train(request: TrainRequest, options: TrainOptions = {}): Promise<TrainResult> {
  const joined = await join(options.ranks ?? SELF, options);
  const { ranks } = joined;
  await together(ranks, () => checkRequest(request, options, checkSubject));
  const run = runFolder(request.folder);
  let lock: Lock = { check: () => undefined, release: () => undefined };
  await onFirst(ranks, async () => {
    await makeFolder(run.folder);
    lock = await lockFolder(run.lock);
  });
  const log: RunLog = ranks.rank === 0 ? openRunLog(run.log) : { add: () => undefined };
  const { emit, exchange } = openReports(ranks, emitter(log, options.onEvent));
  try {
    if (options.gradients === "fp16" && ranks.size === 1) {
      emit({
        kind: "notice",
        message: "gradients in fp16 are for several ranks: this process trains alone, and sends none",
      });
    }
    if (!options.resume) await onFirst(ranks, () => checkUnused(run));
    const team = { ...joined, exchange };
    const result = await phaseByPhase(request, { ...options, ...joined.options }, { run, lock, emit, team });
    log.add(result.finished ? `ended after ${result.step} updates` : stoppedLine(result.step, joined.options.signal));
    return result;
  } catch (error) {
    const { signal } = joined.options;
    // Before the first update: while the mean image was measured, say.
    if (signal?.aborted && error === signal.reason) {
      const step = await newestStep(run.checkpoints);
      log.add(stoppedLine(step, signal));
      return { step, finished: false, waiting: 0, unreadable: 0, run };
    }
    log.add(`error: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  } finally {
    lock.release();
  }
}

function stoppedLine(step: number, signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason;
  return `stopped after ${step} updates${typeof reason === "string" ? `: ${reason}` : ""}`;
}

/** From where it is to the end. */
async function phaseByPhase(
  request: TrainRequest,
  options: TrainOptions,
  place: Pick<Session, "run" | "lock" | "emit" | "team">,
): Promise<TrainResult> {
  const model = beginning(request);
  const session: Session = { request, options, model, ...place };
  const { run, emit, team } = session;
  const { ranks } = team;
  const onKeeper = <T>(action: () => T | Promise<T>): Promise<T> => onFirst(ranks, action);
  await onKeeper(async () => {
    await discardLeftovers(run.checkpoints);
    // What another training left there says nothing about this one.
    if (!options.resume) await forget(run, request);
  });
  [...request.data.warnings, ...recipeProblems(request.recipe).map(({ message }) => message), ...team.warnings].forEach(
    (message) => emit({ kind: "warning", message }),
  );
  const phases = asTrainingError(() => planPhases(model, request.recipe));
  const first = options.resume ? await onKeeper(() => newestPhase(run.checkpoints)) : 0;
  if (first === 0) await onKeeper(() => keepInitial(session, phases));
  let begun: Pick<PhaseBeginning, "index" | "position" | "weights" | "resume"> = {
    index: first,
    position: START,
    weights: options.weights,
    resume: options.resume === true,
  };
  for (;;) {
    const { over, ...result } = await inPhase(session, phases, begun);
    if (over === undefined) return result;
    options.signal?.throwIfAborted();
    const index = begun.index + 1;
    const isAnew = phases[index]!.recipe.beginsAnew === true;
    const kept = isAnew ? await onKeeper(() => readInitial(session)) : over.weights;
    const weights = kept ?? options.weights;
    begun = { index, position: startOf(index, over.position), weights, resume: false };
  }
}

async function inPhase(
  session: Session,
  phases: readonly PlannedPhase[],
  begun: Pick<PhaseBeginning, "index" | "position" | "weights" | "resume">,
) {
  const planned = phases[begun.index]!;
  const { proposals: from } = planned.recipe;
  const { data } = session.request;
  let proposals: KeptProposals | undefined;
  // All ranks read them, wherever they are.
  if (from !== undefined) {
    await together(session.team.ranks, () => {
      proposals = openProposals(session.run.proposals(from), data.train.size);
    });
  }
  try {
    return await trainPhase(session, { ...begun, planned, count: phases.length, ...(proposals && { proposals }) });
  } finally {
    proposals?.close();
  }
}

async function forget(run: RunFolder, { recipe }: TrainRequest): Promise<void> {
  const kept = (recipe.phases ?? []).map(({ name }) => run.proposals(name));
  await Promise.all([run.statistics, run.initial, ...kept].map((file) => rm(file, { force: true })));
}
