/** The compiler in a browser: bundled, loaded in headless Chromium, it gives the bytes that Node gives. */
import { existsSync } from "node:fs";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { check, compile } from "../../compiler/index.js";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
// .ci/run installs it and requires it; elsewhere the test needs it to be there.
const required = process.env["RESNETC_REQUIRE_WEBGPU"] === "1";

describe.skipIf(CHROMIUM === undefined && !required)("in a browser", () => {
  let browser: Awaited<ReturnType<typeof chromium.launch>>;
  let page: Awaited<ReturnType<typeof browser.newPage>>;
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
    browser = await chromium.launch({
      executablePath: CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
    });
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
