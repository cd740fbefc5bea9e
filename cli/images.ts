/** The images that the command line names. */
import type { NamedSource } from "../runtime/images/source.js";
import { UsageFailure } from "./failure.js";
import { logWarning } from "./terminal.js";

/** Files, those of folders, and for `-` one from standard input; what is passed over in folders is said. */
export async function imagesOf(places: readonly string[]): Promise<readonly NamedSource[]> {
  if (places.filter((place) => place === "-").length > 1) throw new UsageFailure("- is one image: name it once");
  const { imagesAt } = await import("../runtime/images/places.js");
  const { images, warnings } = await imagesAt(places);
  warnings.forEach(logWarning);
  return images;
}
