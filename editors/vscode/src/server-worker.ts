/** The server that comes with the extension, in a web worker. */
import { serveWorker } from "../../server/worker.js";

declare const VERSION: string;
serveWorker(self, VERSION);
