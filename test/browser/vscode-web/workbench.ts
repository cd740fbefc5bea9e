/** VS Code in a page, as somebody uses it: by keys, and by what stands on the screen. */
import type { Frame, Page } from "playwright-core";

/** Lines are elements in any order, each at its place. */
const LINES = `
[...document.querySelectorAll(".editor-instance .view-line")]
  .sort((a, b) => parseFloat(a.style.top) - parseFloat(b.style.top))
  .map((line) => line.textContent.replaceAll("\\u00a0", " "))`;

export class Workbench {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** From the list of files at the left. */
  async open(name: string): Promise<void> {
    await this.page.locator(`.explorer-folders-view .monaco-list-row[aria-label^="${name}"]`).dblclick();
    await this.page.locator(`.tab.active[data-resource-name="${name}"]`).waitFor();
    await this.page.locator(".editor-instance .view-line").first().waitFor();
  }

  /** From the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press("F1");
    const input = this.page.locator(".quick-input-box input[type=text]").first();
    await input.fill(`>${title}`);
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: title }).first().click();
  }

  /** Puts the cursor at a place, from 1. */
  async goTo(line: number, column: number): Promise<void> {
    await this.page.keyboard.press("Control+g");
    const input = this.page.locator(".quick-input-box input[type=text]").first();
    // What was typed has been read when the list says where it leads; a box that is just opening may lose it.
    const read = this.page.locator(".quick-input-list .monaco-list-row", { hasText: `line ${line}` });
    do await input.fill(`:${line}:${column}`);
    while (
      !(await read.waitFor({ timeout: 2000 }).then(
        () => true,
        () => false,
      ))
    );
    await input.press("Enter");
    await this.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  }

  /** The lines that are on the screen, with hints in them. */
  lines(): Promise<string[]> {
    return this.page.evaluate<string[]>(LINES);
  }

  /** When a line stands on the screen in which these pieces follow each other. */
  line(...pieces: readonly string[]): Promise<void> {
    const escaped = pieces.map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/ /g, "\\s"));
    return this.page
      .locator(".editor-instance .view-line")
      .filter({ hasText: new RegExp(escaped.join(".*")) })
      .first()
      .waitFor();
  }

  /** The line of lenses in which a text stands. */
  async lens(piece: string): Promise<string> {
    const lens = this.page.locator(".codelens-decoration", { hasText: piece }).first();
    await lens.waitFor();
    return (await lens.innerText()).replace(/\u00a0/g, " ").trim();
  }

  /** When the cursor is in that line. */
  position(line: number): Promise<void> {
    return this.page.locator(".statusbar-item", { hasText: new RegExp(`Ln ${line},`) }).waitFor();
  }

  /** The first of such a piece in a line. */
  async select(line: number, piece: string): Promise<void> {
    await this.goTo(line, 1);
    await this.page.keyboard.press("Control+f");
    const find = this.page.locator(".find-widget.visible .input").first();
    await find.fill(piece);
    // The find box has selected it already; Enter would go to the next.
    await this.page.locator(".find-widget.visible .matchesCount", { hasText: /^\d+ of/ }).waitFor();
    await this.page.keyboard.press("Escape");
  }

  async newFile(): Promise<void> {
    await this.command("File: New Untitled Text File");
    await this.command("Change Language Mode");
    await this.page.locator(".quick-input-box input[type=text]").first().fill("resnet");
    await this.page.locator(".quick-input-list .monaco-list-row", { hasText: "ResNet" }).first().click();
    await this.page.locator(".statusbar-item", { hasText: "ResNet" }).first().waitFor();
    await this.page.locator(".editor-instance .view-lines").first().click();
  }

  /** The page inside a webview, which is the frame in a frame. */
  async webview(): Promise<Frame> {
    const outer = await this.page.locator("iframe.webview.ready").elementHandle();
    const frame = await outer.contentFrame();
    const inner = await frame!.waitForSelector("iframe#active-frame", { state: "attached" });
    return (await inner.contentFrame())!;
  }
}
