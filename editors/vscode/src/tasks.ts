/** Tasks of type `resnetc`: the project's own, run by Node in a terminal. */
import * as vscode from "vscode";
import type { Project } from "./project.js";

const MATCHERS = ["$resnetc"];
const WATCHING = ["$resnetc-watch"];

interface Definition extends vscode.TaskDefinition {
  readonly command?: string;
  readonly args?: readonly string[];
}

/** `check`, and `check --watch` in the background; tasks.json may name other commands. */
export function registerTasks(findProject: () => Promise<Project | undefined>): vscode.Disposable {
  return vscode.tasks.registerTaskProvider("resnetc", {
    async provideTasks() {
      const project = await findProject();
      if (!project) return [];
      const check = taskOf(project, "check", { type: "resnetc", command: "check" });
      check.group = vscode.TaskGroup.Build;
      return [check, taskOf(project, "check --watch", { type: "resnetc", command: "check", args: ["--watch"] })];
    },
    async resolveTask({ name, definition }) {
      const project = await findProject();
      return project && taskOf(project, name, definition);
    },
  });
}

/** Runs a command in a terminal, which shows its progress and takes Ctrl-C. */
export function runResnetc(project: Project, name: string, args: readonly string[]): Thenable<vscode.TaskExecution> {
  const [command = "", ...rest] = args;
  return vscode.tasks.executeTask(taskOf(project, name, { type: "resnetc", command, args: rest }));
}

function taskOf({ folder, script }: Project, name: string, definition: Definition): vscode.Task {
  const { command = "check", args = [] } = definition;
  const isWatching = args.includes("--watch");
  const execution = new vscode.ProcessExecution("node", [script, command, ...args], { cwd: folder });
  const matchers = command === "check" ? (isWatching ? WATCHING : MATCHERS) : [];
  const task = new vscode.Task(definition, vscode.TaskScope.Workspace, name, "resnetc", execution, matchers);
  task.isBackground = isWatching;
  return task;
}
