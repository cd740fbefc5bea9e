// A scripted session in Chromium: how long the answer to a keystroke takes, and the screenshots in docs/images/.
//
//     node editors/playground/build.mjs && node editors/playground/session.mjs [--screenshots]
import { existsSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import sharp from "sharp";

const ROOT = path.resolve(import.meta.dirname, "../..");
const folder = path.join(ROOT, "out/playground");
const images = path.join(ROOT, "docs/images");
const ADDRESS = "http://localhost/";

const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

/** A page that has the site's files without a server. */
async function open(settings) {
  const context = await browser.newContext({ serviceWorkers: "block", ...settings });
  await context.route(`${ADDRESS}**`, (route) => {
    const { pathname } = new URL(route.request().url());
    const file = path.join(folder, pathname === "/" ? "index.html" : pathname);
    return existsSync(file) ? route.fulfill({ path: file }) : route.abort();
  });
  const page = await context.newPage();
  await page.goto(ADDRESS);
  await page.locator("#figure svg").waitFor();
  return page;
}

async function keystrokes(count) {
  const page = await open({ viewport: { width: 1280, height: 800 } });
  await page.locator(".cm-line", { hasText: "stage conv4" }).click();
  await page.keyboard.press("Home");
  await page.keyboard.press("End");
  await page.evaluate(() => (globalThis.latency.length = 0));
  // Blocks are added and taken away, spaces typed: the network is another at every second keystroke.
  await page.locator(".cm-line", { hasText: "network ResNet50" }).click();
  await page.keyboard.press("End");
  for (let at = 0; at < 3; at++) await page.keyboard.press("ArrowLeft");
  for (let typed = 0; typed < count; typed++) {
    const before = await page.evaluate(() => globalThis.latency.length);
    await page.keyboard.press(typed % 2 === 0 ? "1" : "Backspace");
    await page.waitForFunction((before) => globalThis.latency.length > before, before);
  }
  const times = (await page.evaluate(() => globalThis.latency)).sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(1);
  console.log(`${times.length} answers: median ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`);
  await page.context().close();
}

async function picture(page, name) {
  const png = sharp(await page.screenshot()).png({ palette: true, compressionLevel: 9, effort: 10 });
  await png.toFile(path.join(images, `${name}.png`));
}

async function screenshots() {
  const light = await open({ viewport: { width: 1280, height: 800 } });
  await light.locator(".cm-line", { hasText: "stage conv3" }).click();
  await light.mouse.move(1100, 20);
  await light.waitForTimeout(500);
  await picture(light, "playground");
  await light.emulateMedia({ colorScheme: "dark" });
  await light.locator("#tab-train").click();
  await light.getByRole("button", { name: "Train", exact: true }).click();
  await light.locator(".confusion svg").waitFor({ timeout: 900_000 });
  await light.waitForTimeout(300);
  await picture(light, "playground-train-dark");
  await light.context().close();
  const small = await open({ viewport: { width: 390, height: 800 }, isMobile: true, hasTouch: true });
  await small.locator("#tab-run").click();
  await small.getByRole("button", { name: "cat" }).click();
  await small.locator("#run caption").waitFor();
  await small.locator("#run caption").scrollIntoViewIfNeeded();
  await picture(small, "playground-small");
}

if (process.argv.includes("--screenshots")) await screenshots();
else await keystrokes(200);
await browser.close();
