/**
 * The extension in VS Code itself, in Chromium: one session, as somebody works. With RESNETC_SCREENSHOTS=1 it takes the
 * pictures of docs/images/ on its way.
 */
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { launch, NO_BROWSER } from "../support/site.js";
import { serveVsCode, type Served } from "./vscode-web/serve.js";
import { Workbench } from "./vscode-web/workbench.js";

const ROOT = path.resolve(import.meta.dirname, "../..");
const takesPictures = process.env["RESNETC_SCREENSHOTS"] === "1";

const { bundleExtension } = (await import(path.join(ROOT, "editors/vscode/build.mjs"))) as {
  bundleExtension: (out: string) => Promise<void>;
};

const NET = `import { bottleneck } from "std/blocks"
import { projection_on_change } from "std/shortcuts"
import { gated } from "./parts"

/// Table 1, with gates in the last stage.
network GatedResNet(classes = 1000) {
  input image 3x224x224
  shortcuts projection_on_change

  stage conv1    { conv 7x7, 64, /2   bn   relu }
  stage conv2    { max_pool 3x3, /2   bottleneck(64) x 3 }
  stage conv3 /2 { bottleneck(128) x 4 }
  stage conv4 /2 { bottleneck(256) x 6 }
  stage conv5 /2 { gated(512) x 3 }
  head           { global_avg_pool   fc classes   softmax }
}
`;
const PARTS = `/// A bottleneck whose maps are weighted by what is in them (arXiv:1709.01507).
block gated(width, stride = 1) {
  residual {
    conv 1x1, width, /stride   bn   relu
    conv 3x3, width            bn   relu
    conv 1x1, 4 * width        bn
    multiply {
      identity
    } {
      global_avg_pool
      conv 1x1, width / 4, bias: true       relu
      conv 1x1, 4 * width, bias: true       sigmoid
    }
  }
  relu
}
`;
const DRAFT = `network Draft {
  input image 3x32x32
  conv 3x3, 8   bn
  residual { conv 3x3, 16   bn }
  cnv 3x3,16 bn   relu
}
`;

describe.skipIf(NO_BROWSER)("the extension in VS Code", { timeout: 120_000 }, () => {
  let bundles: string;
  let served: Served;
  let browser: Browser;
  let page: Page;
  let code: Workbench;
  const problems: string[] = [];

  /** A picture for the documentation. */
  async function picture(name: string): Promise<void> {
    if (!takesPictures) return;
    await page.mouse.move(0, 0);
    await page.waitForTimeout(1000);
    const png = sharp(await page.screenshot()).png({ palette: true, compressionLevel: 9, effort: 10 });
    await png.toFile(path.join(ROOT, "docs/images", `${name}.png`));
  }

  beforeAll(async () => {
    bundles = await mkdtemp(path.join(os.tmpdir(), "resnetc-extension-"));
    await bundleExtension(bundles);
    served = await serveVsCode({
      bundles,
      files: { "/net.resnet": NET, "/parts.resnet": PARTS, "/draft.resnet": DRAFT },
      settings: {
        "editor.minimap.enabled": false,
        "files.autoSave": "off",
        "window.commandCenter": false,
        "workbench.activityBar.location": "hidden",
        "workbench.colorTheme": "Default Light Modern",
        "workbench.layoutControl.enabled": false,
      },
    });
    browser = await launch();
    page = await browser.newPage({ viewport: { width: 1400, height: 760 } });
    page.setDefaultTimeout(20_000);
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("console", (message) => {
      // A page that its own policy keeps from something says so.
      if (/Content Security Policy/.test(message.text())) problems.push(message.text());
    });
    await page.goto(served.address);
    code = new Workbench(page);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await served?.close();
    await rm(bundles, { recursive: true });
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail")
      await page.screenshot({ path: path.join(ROOT, ".cache/resnetc/vscode-failed.png") });
  });

  it("tells shapes and costs", async () => {
    await code.open("net.resnet");
    await code.line("conv 7x7, 64, /2", "64x112x112");
    // `gated` is in another file, which the server has been sent.
    await code.line("stage conv5", "2048x7x7");
    await page.locator(".codelens-decoration", { hasText: "parameters" }).waitFor();
    expect(await code.lens("parameters")).toMatch(
      /^27\.1 M parameters · 3\.86 G multiply-adds.*figure.*compile.*train$/,
    );
  });

  it("tells what a layer is", async () => {
    await code.goTo(lineOf(NET, "stage conv3"), 21);
    await page.keyboard.press("Control+k");
    await page.keyboard.press("Control+i");
    const hover = page.locator(".monaco-hover:visible");
    await hover.filter({ hasText: "sees 99 pixels" }).waitFor();
    expect(await hover.first().innerText()).toContain("512x28x28");
    await picture("vscode-hover");
    await page.keyboard.press("Escape");
  });

  it("draws the network beside it, and follows the cursor and what is typed", async () => {
    await page.locator(".codelens-decoration a", { hasText: "figure" }).first().click();
    const view = await code.webview();
    const figure = view.locator("main.figure svg");
    await figure.waitFor();
    expect(await view.locator("header strong").innerText()).toBe("GatedResNet");
    await code.goTo(lineOf(NET, "stage conv3"), 25);
    await view.locator("g.current", { hasText: "128" }).first().waitFor();
    expect(await view.locator('g.current:not([data-layer^="conv3."])').count()).toBe(0);
    await code.command("View: Toggle Primary Side Bar Visibility");
    await picture("vscode");
    await code.command("View: Toggle Primary Side Bar Visibility");
    // A layer leads to its line.
    await view.locator('g[data-layer="conv1.conv"]').click();
    await code.position(lineOf(NET, "stage conv1"));
    await view.locator('g.current[data-layer="conv1.conv"]').waitFor();
    // What is typed is drawn; while it is wrong what was there stays.
    await code.select(lineOf(NET, "stage conv1"), "7x7");
    await page.keyboard.type("sides");
    await page.keyboard.press("Escape");
    await view.locator(".notice", { hasText: "has errors" }).waitFor();
    expect(await figure.locator("text", { hasText: "7x7 conv, 64" }).count()).toBe(1);
    await code.select(lineOf(NET, "stage conv1"), "sides");
    await page.keyboard.type("5x5");
    await figure.locator("text", { hasText: "5x5 conv, 64" }).waitFor();
    expect(await view.locator(".notice").isHidden()).toBe(true);
    await view.locator("button", { hasText: "Summary" }).click();
    const total = await view.locator("tfoot tr").innerText();
    expect(total.split("\t")).toEqual([
      "total",
      "",
      "",
      expect.stringMatching(/^27,\d\d\d,\d\d\d$/),
      expect.any(String),
      expect.any(String),
    ]);
    await view.locator("button", { hasText: "Figure" }).click();
  });

  it("shows a block as one of its uses has it, in the dark too", async () => {
    await code.command("View: Focus First Editor Group");
    await page.keyboard.press("Control+s");
    await code.open("parts.resnet");
    await code.line("conv 3x3, width", "512x7x7");
    await code.command("Preferences: Toggle between Light/Dark Themes");
    await page.locator(".monaco-workbench.vs-dark").waitFor();
    const view = await code.webview();
    await view.locator("body.vscode-dark").waitFor();
    await code.goTo(lineOf(PARTS, "conv 3x3"), 6);
    await view.locator('g.current[data-layer^="conv5."]').first().waitFor();
    const filter = await view.evaluate<string>("getComputedStyle(document.querySelector('main.figure svg')).filter");
    expect(filter).toContain("invert(1)");
    expect(await code.lens("shown as")).toBe("shown as in GatedResNet conv5.0 (3 uses)");
    await picture("vscode-dark");
    await code.command("Preferences: Toggle between Light/Dark Themes");
    await code.command("View: Close All Editor Groups");
  });

  it("finds what is wrong, and mends it", async () => {
    await code.open("draft.resnet");
    await page.locator(".squiggly-error").first().waitFor();
    await code.command("View: Focus Problems");
    const rows = page.locator(".markers-panel .monaco-list-row");
    await rows.filter({ hasText: "did you mean" }).first().waitFor();
    await picture("vscode-problems");
    await code.goTo(lineOf(DRAFT, "cnv"), 4);
    await page.keyboard.press("Control+.");
    await page
      .locator(".action-widget .monaco-list-row.focused", { hasText: "Write `conv` in place of `cnv`" })
      .waitFor();
    await page.keyboard.press("Enter");
    await rows.filter({ hasText: "did you mean" }).waitFor({ state: "hidden" });
    await code.select(lineOf(DRAFT, "residual"), "16");
    await page.keyboard.type("8");
    await rows.first().waitFor({ state: "hidden" });
  });

  it("formats, and completes with the import that is missing", async () => {
    await code.command("Format Document");
    await code.line("  conv 3x3, 16   bn   relu", "16x32x32");
    await code.goTo(lineOf(DRAFT, "cnv"), 99);
    await page.keyboard.press("Enter");
    await page.keyboard.type("bottl");
    const suggestions = page.locator(".suggest-widget.visible .monaco-list-row");
    await suggestions.filter({ hasText: "bottleneck" }).first().waitFor();
    await picture("vscode-completion");
    await page.keyboard.press("Enter");
    await code.line('import { bottleneck } from "std/blocks"');
    await page.keyboard.type("(4)");
    await code.line("bottleneck(4)", "16x32x32");
    await page.keyboard.press("Control+s");
  });

  it("ends a doc comment by a second Enter, and knows snippets", async () => {
    await code.command("View: Close All Editors");
    await code.newFile();
    // The extension answers a key after the editor has shown it.
    const become = (...lines: readonly string[]) =>
      expect.poll(async () => (await code.lines()).map((line) => line.trimEnd())).toEqual(lines);
    await page.keyboard.type("/// One.");
    await page.keyboard.press("Enter");
    await become("/// One.", "///");
    await page.keyboard.type("Two.");
    await page.keyboard.press("Enter");
    await become("/// One.", "/// Two.", "///");
    await page.keyboard.press("Enter");
    await become("/// One.", "/// Two.", "");
    await page.keyboard.type("netw");
    await page.locator(".suggest-widget.visible .monaco-list-row", { hasText: "network" }).first().waitFor();
    await page.keyboard.press("Enter");
    await code.line("network Name(classes = 10) {");
    expect((await code.lines()).slice(0, 3)).toEqual(["/// One.", "/// Two.", "network Name(classes = 10) {"]);
  });

  it("opens the standard library to be read, compiles, and says what a browser can't", async () => {
    await code.command("View: Close All Editors");
    await page.locator(".dialog-buttons .monaco-button", { hasText: "Don't Save" }).click();
    await code.open("parts.resnet");
    await code.open("net.resnet");
    await code.goTo(lineOf(NET, "stage conv3"), 21);
    await code.command("Go to Definition");
    await page.locator('.tab.active[data-resource-name="blocks.resnet"]').waitFor();
    await code.line("block bottleneck(");
    await page.keyboard.type("x");
    await page.locator(".monaco-editor-overlaymessage", { hasText: "read-only" }).waitFor();
    await code.open("parts.resnet");
    await code.open("draft.resnet");
    await code.command("ResNet: Compile to ONNX");
    await page.locator(".quick-input-list .monaco-list-row", { hasText: "Random weights" }).click();
    await page.locator(".quick-input-box input[type=text]").first().waitFor();
    await page.locator(".quick-input-widget .monaco-button", { hasText: "OK" }).click();
    await page.locator(".notification-list-item", { hasText: "MB written, with random weights" }).waitFor();
    await page.locator('.explorer-folders-view .monaco-list-row[aria-label^="Draft.onnx"]').waitFor();
    await code.command("ResNet: Train");
    await page.locator(".notification-list-item", { hasText: "is not trained in a browser" }).waitFor();
    expect(problems).toEqual([]);
  });
});

/** From 1. */
function lineOf(text: string, piece: string): number {
  return text.slice(0, text.indexOf(piece)).split("\n").length;
}
