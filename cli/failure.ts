/** How a command ends: which failures are the user's to mend, and what the exit code says. */

export const EXIT = {
  done: 0,
  /** The input is wrong: a source, a weight file, an image. */
  input: 1,
  /** The command line is wrong. */
  usage: 2,
  /** A fault of resnetc itself (EX_SOFTWARE of sysexits.h). */
  internal: 70,
  /** As a shell sees a process that Ctrl-C ended, so that what follows does not take a part for the whole. */
  interrupted: 130,
  /** Whoever read the standard output went before its end; what a shell sees of a process that SIGPIPE ended. */
  pipe: 141,
} as const;

/** The input can't be used; the message is one clear line. */
export class InputFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = "InputFailure";
  }
}

/** The command line can't be understood; the message is one clear line. */
export class UsageFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageFailure";
  }
}

/** The command has said all there is to say; only the exit code is left. */
export class Stop extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super("stopped");
    this.name = "Stop";
    this.exitCode = exitCode;
  }
}

/** Errors by which the library says that what it was given can't be used. */
const INPUT_ERRORS = new Set([
  "InputFailure",
  "WeightsError",
  "SessionError",
  "ImageError",
  "FileError",
  "CompileError",
  "DataError",
  "TrainingError",
  "ParallelError",
]);

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or folder",
  EACCES: "permission denied",
  EPERM: "not permitted",
  EISDIR: "is a folder",
  ENOTDIR: "a part of the path is not a folder",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
  EMFILE: "too many open files",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "too many symbolic links",
};

/** One line for people and the exit code, for anything that a command can throw. */
export function explain(error: unknown): { readonly message: string | undefined; readonly exitCode: number } {
  // By their names: it may be the error of another process that this one was told of.
  if (isStop(error)) return { message: undefined, exitCode: error.exitCode };
  if (error instanceof Error && error.name === "UsageFailure") return { message: error.message, exitCode: EXIT.usage };
  if (error instanceof Error && INPUT_ERRORS.has(error.name)) return { message: error.message, exitCode: EXIT.input };
  const system = systemError(error);
  if (system !== undefined) return { message: system, exitCode: EXIT.input };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    message: `internal error, please report it with the command that you ran\n${text}`,
    exitCode: EXIT.internal,
  };
}

function isStop(error: unknown): error is Stop {
  return error instanceof Error && error.name === "Stop" && "exitCode" in error;
}

function systemError(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("syscall" in error) || !("code" in error)) return undefined;
  const { code, path } = error as NodeJS.ErrnoException;
  const reason = SYSTEM_ERRORS[code ?? ""] ?? error.message;
  return path === undefined ? reason : `${path}: ${reason}`;
}
