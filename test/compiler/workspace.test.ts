/** What a workspace says of files that change is what a check of the same texts says that knows nothing of before. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { check } from "../../compiler/analyze.js";
import { CancelledError } from "../../compiler/budget.js";
import { memoryHost } from "../../compiler/host.js";
import { Workspace } from "../../compiler/workspace/workspace.js";
import { generator, mutate } from "../fuzz/mutate.js";

const stdlib = (name: string): string => readFileSync(new URL(`../../stdlib/${name}.resnet`, import.meta.url), "utf8");

const SMALL = `import { wide } from "./blocks"
import { identity_only } from "std/shortcuts"
let classes = 10
let broken = 1 / 0
block twice(width) { conv 3x3, width   bn   relu   conv 3x3, width   bn }
network A {
  input image 3x32x32
  twice(16)
  head { global_avg_pool   fc classes   softmax }
}
network B(depth = broken) {
  input image 3x32x32
  shortcuts identity_only
  conv 3x3, 16
  residual { wide(16) }
  for i in 1 .. depth { twice(16) }
}
weights b { rename "conv", "first"   rename "nowhere", "second" }
network C { input image 3x32x32   conv 3x3, 16   weights b }
`;
const BLOCKS = "block wide(width) { conv 3x3, width   bn   relu }\n";

/** What is said of these texts, by a workspace that knows of those before and by one that knows nothing. */
function both(workspace: Workspace, files: Record<string, string>, current: Map<string, string>): void {
  for (const [path, text] of Object.entries(files)) current.set(path, text);
  const paths = [...current].map(([path, text]) => ({ path, text }));
  const fresh = check(paths, memoryHost(Object.fromEntries(current)));
  const kept = workspace.check(paths).findings;
  expect(kept.diagnostics).toEqual(fresh.diagnostics);
  expect([kept.errorCount, kept.warningCount]).toEqual([fresh.errorCount, fresh.warningCount]);
}

describe("edits of a workspace", () => {
  const open = (): [Workspace, Map<string, string>] => {
    const current = new Map<string, string>();
    return [new Workspace({ read: (path) => current.get(path) }, { trace: true }), current];
  };

  it("that move what they do not change, change what others use, break and mend", () => {
    const [workspace, current] = open();
    const say = (files: Record<string, string>): void => both(workspace, files, current);
    say({ "a.resnet": SMALL, "blocks.resnet": BLOCKS });
    say({ "a.resnet": `// moved\n${SMALL}` });
    say({ "blocks.resnet": BLOCKS.replace("bn", "max_pool 2x2, /2") });
    say({ "blocks.resnet": "block narrow(width) { relu }" });
    say({ "blocks.resnet": BLOCKS });
    say({ "a.resnet": SMALL.replace("twice(16)\n", "twise(16)\n") });
    say({
      "a.resnet": SMALL.replace("twice(16)\n", "twise(16)\n").replace("let classes", "let twist = 1\nlet classes"),
    });
    say({ "a.resnet": SMALL.replace("let broken = 1 / 0", "let broken = 2") });
    say({ "a.resnet": SMALL.replace("softmax }", "softmax ") });
    say({ "a.resnet": SMALL.replace("network B", "network A") });
    say({ "a.resnet": SMALL.replace('"nowhere"', '"conv"') });
    say({ "a.resnet": `block unused() { }\n${SMALL}` });
    say({ "a.resnet": "" });
    say({ "a.resnet": SMALL });
  });

  it.each(["unet", "blocks", "shufflenet", "weights"])("at random in %s", (name) => {
    const [workspace, current] = open();
    const text = stdlib(name);
    both(workspace, { "a.resnet": text }, current);
    for (let seed = 0; seed < 8; seed++) both(workspace, { "a.resnet": mutate(text, seed) }, current);
    both(workspace, { "a.resnet": text }, current);
  });

  it("at random in small files that need each other", () => {
    const [workspace, current] = open();
    const random = generator(7);
    both(workspace, { "a.resnet": SMALL, "blocks.resnet": BLOCKS }, current);
    for (let seed = 0; seed < 100; seed++) {
      const path = random(3) === 0 ? "blocks.resnet" : "a.resnet";
      const whole = path === "a.resnet" ? SMALL : BLOCKS;
      // One damage after the other, and now and then the whole file again.
      const text = mutate(random(3) === 0 ? whole : current.get(path)!, seed);
      both(workspace, { [path]: text.length > 3000 ? whole : text }, current);
    }
  });
});

it("elaborates what has changed, and what uses that, and nothing else", () => {
  const workspace = new Workspace(memoryHost({ "blocks.resnet": BLOCKS }));
  const models = (text: string): unknown[] =>
    workspace.check([{ path: "a.resnet", text }]).outcomes.map(({ model }) => model);
  const before = models(SMALL.replace("1 / 0", "2"));
  expect(before.map((model) => model !== undefined)).toEqual([true, true, false, true]);
  const moved = models(`// moved\n${SMALL.replace("1 / 0", "2")}`);
  moved.forEach((model, i) => expect(model).toBe(before[i]));
  const changed = models(SMALL.replace("1 / 0", "2").replace("classes = 10", "classes = 5"));
  expect(changed.map((model, i) => model === before[i])).toEqual([false, true, true, true]);
});

it("stops where it is told to, and goes on from there", () => {
  const workspace = new Workspace(memoryHost({}));
  const text = stdlib("resnet");
  let asked = 0;
  const shouldStop = (): boolean => ++asked > 3;
  expect(() => workspace.check([{ path: "a.resnet", text }], { shouldStop })).toThrow(CancelledError);
  expect(workspace.check([{ path: "a.resnet", text }]).findings.diagnostics).toEqual([]);
});
