/** The site: built by its command, it works below any path and without a network, in Chromium as in files. */
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../compiler/index.js";
import { page as readPage, ROOT } from "../support/pages.js";
import { launch, NO_BROWSER, serve, type Site } from "../support/site.js";

const folder = path.join(ROOT, ".cache", `site-test-${process.pid}`);

let pages: string[];

beforeAll(async () => {
  // The reference of the programming interface is converted by test/docs/api.test.ts; the playground has tests of its own.
  await promisify(execFile)(process.execPath, [
    path.join(ROOT, "site/build.mjs"),
    folder,
    "--no-api",
    "--no-playground",
  ]);
  pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
}, 180_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

it("has a page for each page, the standard library, the decisions and the commands", () => {
  for (const name of ["index", "language", "commands", "changes", "stdlib/resnet", "decisions/2026-11-26-losses"]) {
    expect(pages).toContain(`${name}.html`);
  }
  expect(existsSync(path.join(folder, "schemas/check.schema.json"))).toBe(true);
});

it("names no place of its own: every address is relative, or out of the site", async () => {
  for (const name of pages) {
    const html = await readFile(path.join(folder, name), "utf8");
    for (const [, link] of html.matchAll(/(?:href|src)="([^"]*)"/g)) {
      if (/^(https?:|data:|#)/.test(link!)) continue;
      expect(link, name).toMatch(/^\.{1,2}\//);
      const target = path.join(folder, path.dirname(name), decodeURI(link!.replace(/[?#].*/, "")));
      expect(existsSync(target), `${name}: ${link}`).toBe(true);
    }
  }
});

it("leaves out the playground where none was built, and colours our language", async () => {
  const html = await readFile(path.join(folder, "language.html"), "utf8");
  expect(html).not.toContain("Playground");
  expect(html).toMatch(/<span style="--shiki-light:#\w+;--shiki-dark:#\w+;">\s*stage<\/span>/);
});

describe.skipIf(NO_BROWSER)("in Chromium", () => {
  let browser: Browser;
  let site: Site;
  let page: Page;
  let root: string;
  const problems: string[] = [];

  beforeAll(async () => {
    site = await serve({ "/some/where/": folder }, (pathname) => problems.push(`not there: ${pathname}`));
    root = `${site.address}some/where/`;
    browser = await launch();
    page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => void (message.type() === "error" && problems.push(message.text())));
    await page.route(
      (url) => !url.href.startsWith(root),
      (route) => {
        problems.push(`asks for ${route.request().url()}`);
        return route.abort();
      },
    );
  }, 120_000);

  afterAll(async () => {
    await browser.close();
    site.close();
  });

  it("is walked through without a reload, searched, and goes back", async () => {
    await page.goto(root);
    await page.locator(".VPHome a", { hasText: "The command line" }).first().click();
    await page.waitForURL(`${root}cli.html`);
    await page.locator(".VPSidebar a", { hasText: "Every command and option" }).click();
    await page.waitForURL(`${root}commands.html`);
    await page.locator(".VPNavBarSearch button").first().click();
    await page.locator("#localsearch-input").fill("shape-mismatch");
    await page.locator(".search-result, .result", { hasText: "shape-mismatch" }).first().click();
    await page.waitForURL(/errors\.html#shape-mismatch$/);
    await page.goBack();
    await page.waitForURL(`${root}commands.html`);
    expect(problems).toEqual([]);
  });

  it("fits a phone: no page is wider than the screen", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    const wide: string[] = [];
    for (const name of pages.filter((name) => !/^(decisions|stdlib)/.test(name))) {
      await page.goto(root + name, { waitUntil: "domcontentloaded" });
      const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      if ((over as number) > 0) wide.push(`${name}: ${String(over)}`);
    }
    expect(wide).toEqual([]);
    expect(problems).toEqual([]);
  });

  it("the page of how-to/deploy-browser.md classifies a photograph", async () => {
    const { blocks } = readPage("docs/how-to/deploy-browser.md");
    const html = blocks.find(({ language }) => language === "html")!.code;
    const files: Readonly<Record<string, () => Promise<Uint8Array> | Uint8Array>> = {
      "page.html": () => Buffer.from(html.replace(/https:\/\/cdn[^"]*\/dist\//, "./ort/")),
      "net.onnx": () => compile("CifarResNet(depth: 8)", { inputPixels: true }).onnx!,
    };
    const own = await browser.newPage();
    own.on("pageerror", (error) => problems.push(error.message));
    await own.route("http://page.test/**", async (route) => {
      const name = new URL(route.request().url()).pathname.slice(1);
      const made = files[name]?.();
      const ort = path.join(ROOT, "node_modules/onnxruntime-web/dist", path.basename(name));
      const body = Buffer.from(await (made ?? readFile(ort)));
      const contentType = name.endsWith(".html")
        ? "text/html"
        : name.endsWith(".mjs")
          ? "text/javascript"
          : "application/wasm";
      await route.fulfill({ body, contentType });
    });
    await own.goto("http://page.test/page.html", { waitUntil: "networkidle" });
    await own.locator("input").setInputFiles(path.join(ROOT, "examples/cifar10/cat.jpg"));
    await own.locator("pre", { hasText: /: 0\.\d+/ }).waitFor({ timeout: 30_000 });
    await own.close();
    expect(problems).toEqual([]);
  });

  it("can be read from the disk", async () => {
    const local = await browser.newPage();
    await local.goto(pathToFileURL(path.join(folder, "language.html")).href);
    expect(await local.locator("h1").innerText()).toContain("The language");
    const family = "getComputedStyle(document.querySelector('.vp-doc')).fontFamily";
    expect(await local.evaluate(family)).toContain("system-ui");
    await local.close();
  });
});
