/** The compiler in a browser: bundled, loaded in headless Chromium, it gives the bytes that Node gives. */
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { check, compile } from "../../compiler/index.js";
import { launch, NO_BROWSER } from "../support/site.js";

describe.skipIf(NO_BROWSER)("in a browser", () => {
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    const entry = new URL("../../compiler/index.ts", import.meta.url).pathname;
    const bundle = await build({
      entryPoints: [entry],
      bundle: true,
      write: false,
      format: "iife",
      globalName: "resnetc",
      platform: "browser",
      minify: true,
    });
    browser = await launch();
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.addScriptTag({ content: bundle.outputFiles[0]?.text ?? "" });
  }, 120_000);

  afterAll(async () => {
    await browser.close();
  });

  it("compiles to the same bytes", async () => {
    const target = "CifarResNet(depth: 20)";
    const there = await page.evaluate((target) => {
      const { resnetc } = globalThis as unknown as { resnetc: typeof import("../../compiler/index.js") };
      let binary = "";
      for (const byte of resnetc.compile(target, { seed: 7 }).onnx ?? []) binary += String.fromCharCode(byte);
      return btoa(binary);
    }, target);
    const here = Buffer.from(compile(target, { seed: 7 }).onnx ?? []).toString("base64");
    expect(here.length).toBeGreaterThan(1_000_000);
    expect(there === here).toBe(true);
    expect(problems).toEqual([]);
  });

  it("reports the same problems", async () => {
    const text = "network Small {\n  input image 3x32x32\n  residul { conv 3x3, 16 }\n}\n";
    const found = await page.evaluate((text) => {
      const { resnetc } = globalThis as unknown as { resnetc: typeof import("../../compiler/index.js") };
      const { diagnostics, sources } = resnetc.check([{ path: "a.resnet", text }]);
      return diagnostics.map((diagnostic) => resnetc.renderDiagnostic(diagnostic, sources));
    }, text);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain("did you mean `residual`?");
    expect(check([{ path: "a.resnet", text }]).diagnostics).toHaveLength(1);
  });
});
