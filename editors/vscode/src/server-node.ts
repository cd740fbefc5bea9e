/** The server that comes with the extension, as a process. The standard library's files are in it. */
import { nodePlatform, serveFork } from "../../server/node.js";

declare const VERSION: string;
serveFork(nodePlatform(VERSION));
