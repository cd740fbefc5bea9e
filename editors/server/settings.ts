/** What a client can set: in `initializationOptions`, and as the section `resnetc` of its configuration. */
import { HINTS, type HintSettings } from "../../compiler/editor/index.js";

export interface Settings {
  readonly hints: HintSettings;
  /** Commands of lenses that the client carries out: `figure`, `compile`, `train`. */
  readonly commands: readonly string[];
  /** The standard library's files have the scheme `resnetc-std`, and are asked for by `resnetc/source`. */
  readonly virtualStandard: boolean;
}

export const SETTINGS: Settings = { hints: HINTS, commands: [], virtualStandard: false };

/** The settings with those in place that a client gave; what is no setting is passed over. */
export function readSettings(given: unknown, before: Settings = SETTINGS): Settings {
  const { inlayHints, commands, virtualStandard } = record(given);
  const hints = record(inlayHints);
  const flag = (value: unknown, without: boolean): boolean => (typeof value === "boolean" ? value : without);
  return {
    hints: {
      shapes: flag(hints["shapes"], before.hints.shapes),
      params: flag(hints["params"], before.hints.params),
      macs: flag(hints["macs"], before.hints.macs),
    },
    commands: Array.isArray(commands) ? commands.filter((each) => typeof each === "string") : before.commands,
    virtualStandard: flag(virtualStandard, before.virtualStandard),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
