/** What a thread takes over of Node's own arguments. */

/** What concerns how modules are found. The rest is about the program (`--eval`), or refused for threads (V8's flags). */
const LOADERS = /^(?:(?:--require|-r|--import|--loader|--experimental-loader|--conditions|-C)(=.*)?|--no-warnings)$/;

/** Loaders go on to threads (`--require ./.pnp.cjs`); `--input-type=module -e "..."` does not. */
export function threadArguments(given: readonly string[] = process.execArgv): string[] {
  return given.flatMap((argument, i) => {
    const loader = LOADERS.exec(argument);
    if (loader === null) return [];
    const whole = loader[1] !== undefined || argument === "--no-warnings";
    return whole ? [argument] : [argument, ...given.slice(i + 1, i + 2)];
  });
}
