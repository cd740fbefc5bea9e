/** The playground as it is built, in Chromium: below a path, at a keystroke, offline, by keyboard; running and training. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { read } from "../../editors/playground/state.js";
import { elaborate, elaborateRecipe, memoryHost, parseTarget } from "../../compiler/index.js";
import { openShapes, readModelInfo, train as trainInNode } from "../../runtime/index.js";
import { launch, NO_BROWSER, serve, type Site } from "../support/site.js";

const BY_HAND = process.env["RESNETC_BY_HAND"] === "1";
const ROOT = path.resolve(import.meta.dirname, "../..");

describe.skipIf(NO_BROWSER)("the playground", () => {
  let folder: string;
  let site: Site;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "resnetc-playground-"));
    // It fails where a first visit would load more than 400 kB.
    await promisify(execFile)(process.execPath, ["editors/playground/build.mjs", folder], { cwd: ROOT });
    site = await serve({ "/some/path/": folder });
    browser = await launch();
    context = await browser.newContext({ acceptDownloads: true });
    page = await context.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(`${site.address}some/path/`);
    await page.waitForSelector("#figure svg");
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const until = async (text: string): Promise<void> => {
    await page.locator("#status", { hasText: text }).waitFor();
  };

  it("draws, sums up and finds mistakes as the text changes, and mends them", async () => {
    await until("ResNet50: 25,557,032 parameters");
    expect(await page.locator("#figure svg title").first().textContent()).toBe("ResNet50");
    await page.getByLabel("Example").selectOption({ label: "A mistake, and its mending" });
    await page.locator("#problems li.error").waitFor();
    expect(await page.locator("#problems").textContent()).toContain("did you mean `residual`?");
    await page.getByRole("button", { name: "Write `residual`" }).click();
    await page.locator("#problems li", { hasText: "residul" }).waitFor({ state: "detached" });
    await page.getByLabel("Example").selectOption({ label: "A small one for shapes, to train here" });
    await until("Small:");
    // A keystroke, at the end of the first block's width: 16 becomes 160.
    const before = await page.locator("#status").textContent();
    const line = (await page.locator(".cm-line").allTextContents()).findIndex((text) => text.includes("stage one"));
    await page.locator(".cm-content").focus();
    await page.keyboard.press("Control+Home");
    for (let at = 0; at < line; at++) await page.keyboard.press("ArrowDown");
    await page.locator(".cm-activeLine", { hasText: "stage one" }).waitFor();
    await page.keyboard.press("Home");
    for (let at = 0; at < "stage one  /2 { basic(16".length; at++) await page.keyboard.press("ArrowRight");
    await page.keyboard.type("0");
    await page.waitForFunction((before) => {
      const { document } = globalThis as unknown as {
        document: { getElementById(id: string): { textContent: string } };
      };
      return document.getElementById("status").textContent !== before;
    }, before);
    await until("Small:");
    await page.keyboard.press("Backspace");
    await until(before!);
    expect(problems).toEqual([]);
  }, 30_000);

  it("is used by the keyboard, compares, and keeps all in its address", async () => {
    await page.getByLabel("Compare with").fill("CifarResNet(depth: 20)");
    await page.getByRole("tab", { name: "Figure" }).focus();
    await page.keyboard.press("ArrowRight");
    const summary = page.getByRole("tabpanel", { name: "Summary" });
    await summary.getByText("ratio").waitFor();
    expect(await summary.textContent()).toContain("CifarResNet");
    const inAddress = () => read(new URL(page.url()).hash);
    await expect.poll(inAddress).toMatchObject({ compare: "CifarResNet(depth: 20)", view: "summary" });
    const other = await context.newPage();
    await other.goto(page.url());
    await other.getByRole("tabpanel", { name: "Summary" }).getByText("ratio").waitFor();
    await other.locator("#status", { hasText: "Small:" }).waitFor();
    await other.close();
  }, 30_000);

  it("gives the figure and the model as files", async () => {
    const saved = async (name: string): Promise<Buffer> => {
      const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
      return readFile(await download.path());
    };
    expect((await saved(".svg")).toString()).toMatch(/^<svg/);
    expect(readModelInfo(new Uint8Array(await saved(".onnx"))).graph).toBe("Small");
  }, 30_000);

  it("runs a network with weights, and trains one, in workers that end", async () => {
    await page.getByRole("tab", { name: "Run" }).click();
    await page.getByRole("button", { name: "cat" }).click();
    await page.locator("#run caption").waitFor();
    expect(await page.locator("#run tbody tr").first().textContent()).toMatch(/^cat9\d/);
    await page.getByRole("tab", { name: "Train" }).click();
    const train = page.locator("#train");
    await train.getByLabel("network").selectOption("editor");
    await train.getByLabel("updates").fill("2000");
    await train.getByRole("button", { name: "Train", exact: true }).click();
    await train
      .getByRole("status")
      .getByText(/update \d/)
      .waitFor();
    await train.getByRole("button", { name: "Pause" }).click();
    await train.getByRole("button", { name: "Go on" }).click();
    await train.getByRole("button", { name: "Stop and keep" }).click();
    await train
      .getByRole("status")
      .getByText(/(stopped|finished) after \d+ updates, error/)
      .waitFor({ timeout: 40_000 });
    expect(await train.locator(".confusion svg").count()).toBe(1);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      train.getByRole("button", { name: "trained .onnx" }).click(),
    ]);
    const { metadata } = readModelInfo(new Uint8Array(await readFile(await download.path())));
    expect(Object.values(metadata).join()).toContain("heart");
    expect(problems).toEqual([]);
  }, 60_000);

  it("fine-tunes on a camera's pictures and on files, without the runner of before", async () => {
    await page.getByRole("tab", { name: "Train" }).click();
    const train = page.locator("#train");
    await train.locator("select").first().selectOption("own");
    await train.getByLabel("Name of the class").first().fill("moving");
    await train.getByRole("button", { name: "Camera", exact: true }).first().click();
    await train.getByRole("button", { name: "Take a picture" }).first().waitFor();
    await page.waitForFunction("document.querySelector('video').videoWidth > 0");
    for (let taken = 1; taken <= 3; taken++) {
      await train.getByRole("button", { name: "Take a picture" }).first().click();
      await train.getByText(`${taken} images`).first().waitFor();
    }
    await train.getByRole("button", { name: "Camera off" }).click();
    const photographs = ["cat.jpg", "dog.jpg"].map((name) => path.join(ROOT, "examples/cifar10", name));
    await train.locator("input[type=file]").nth(1).setInputFiles(photographs);
    await train.getByText("2 images").waitFor();
    await train.getByLabel("updates").fill("5");
    await train.getByRole("button", { name: "Train", exact: true }).click();
    await train.getByRole("status").getByText("finished after 5 updates").waitFor();
    await train.locator("select").first().selectOption("shapes");
    expect(problems).toEqual([]);
  }, 60_000);

  it("is embedded without what needs room", async () => {
    await expect.poll(() => read(new URL(page.url()).hash)).toMatchObject({ view: "train" });
    const frame = await context.newPage();
    await frame.goto(`${site.address}some/path/?embed${new URL(page.url()).hash}`);
    await frame.locator("#figure svg").waitFor();
    expect(await frame.getByRole("tab", { name: "Train" }).isVisible()).toBe(false);
    expect(await frame.getByLabel("Example").isVisible()).toBe(false);
    expect(await frame.locator("#editor").isVisible()).toBe(true);
    await frame.close();
  }, 30_000);

  // Three epochs of the network that the page offers take minutes: with RESNETC_BY_HAND=1.
  it("reaches the error that Node reaches with the same seed", async () => {
    const { network, steps, rate, points } = BY_HAND
      ? { network: "small", steps: 375, rate: 0.1, points: 5 }
      : { network: "editor", steps: 60, rate: 0.02, points: 1 };
    const train = page.locator("#train");
    await train.getByLabel("network").selectOption(network);
    await train.getByLabel("updates").fill(String(steps));
    await train.getByLabel("learning rate").fill(String(rate));
    await train.getByRole("button", { name: "Train", exact: true }).click();
    const state = train.getByRole("status").getByText(`finished after ${steps} updates, error`);
    await state.waitFor({ timeout: 600_000 });
    const [, here] = /error ([\d.]+) %/.exec((await state.textContent())!)!;

    const { text } = (await read(new URL(page.url()).hash))!;
    const host = memoryHost({ "small.resnet": text });
    const target = network === "small" ? "CifarResNet(depth: 8)" : "small.resnet#Small";
    const { model } = elaborate(parseTarget(target), { host });
    const set = [`stop.steps=${steps}`, `learning_rate.rate=${rate}`];
    const { recipe } = elaborateRecipe(parseTarget("std/recipes#shapes"), { set });
    const names = { target, recipe: "shapes", data: "shapes" };
    const request = { model: model!, recipe: recipe!, data: openShapes(), folder: path.join(folder, "run"), names };
    const there = (await trainInNode(request, { device: "cpu" })).test!.error!;
    if (BY_HAND) process.stdout.write(`error ${here} % here, ${(100 * there).toFixed(2)} % in Node\n`);
    expect(Math.abs(Number(here) - 100 * there)).toBeLessThan(points);
  }, 1_200_000);

  it("works without a network once it was loaded", async () => {
    await page.evaluate(() =>
      (
        globalThis as unknown as { navigator: { serviceWorker: { ready: Promise<unknown> } } }
      ).navigator.serviceWorker.ready.then(() => undefined),
    );
    site.close();
    const offline = await context.newPage();
    await offline.goto(`${site.address}some/path/`);
    await offline.locator("#status", { hasText: "ResNet50: 25,557,032 parameters" }).waitFor();
    await offline.close();
  }, 30_000);
});
