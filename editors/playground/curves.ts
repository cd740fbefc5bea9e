/** The loss of the updates and the error of the validations while a training goes on. */

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 220, 44, 26];
const NAMESPACE = "http://www.w3.org/2000/svg";
/** Share of what is kept of the mean at each update. */
const KEPT = 0.9;

type Point = readonly [step: number, value: number];

function svgElement(name: string, attributes: Readonly<Record<string, string | number>>, text = ""): SVGElement {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

export class Curves {
  readonly element = svgElement("svg", {
    class: "curves",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: "img",
    "aria-label": "Curves of the training",
  });
  #steps = 1;
  #losses: Point[] = [];
  #errors: Point[] = [];
  #due = false;

  begin(steps: number): void {
    this.#steps = steps;
    this.#losses = [];
    this.#errors = [];
    this.#draw();
  }

  loss(step: number, value: number): void {
    const before = this.#losses.at(-1)?.[1];
    this.#losses.push([step, before === undefined ? value : before * KEPT + value * (1 - KEPT)]);
    this.#draw();
  }

  error(step: number, share: number): void {
    this.#errors.push([step, share]);
    this.#draw();
  }

  /** As often as a page is drawn. */
  #draw(): void {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.element.replaceChildren(...this.#parts());
      const [loss, error] = [this.#losses.at(-1)?.[1], this.#errors.at(-1)?.[1]];
      const words = [
        loss === undefined ? "" : `loss ${loss.toFixed(3)}`,
        error === undefined ? "" : `validation error ${(100 * error).toFixed(1)} %`,
      ];
      this.element.setAttribute("aria-label", `Curves of the training: ${words.filter(Boolean).join(", ")}`);
    });
  }

  #parts(): SVGElement[] {
    const top = Math.max(0.5, ...this.#losses.map(([, value]) => value)) * 1.05;
    const x = (step: number): number => LEFT + ((WIDTH - LEFT - 8) * step) / this.#steps;
    const y = (value: number): number => 8 + (HEIGHT - BOTTOM - 8) * (1 - value);
    const path = (points: readonly Point[], scale: number): string =>
      points
        .map(([step, value], at) => `${at === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value / scale).toFixed(1)}`)
        .join("");
    return [
      svgElement("path", { class: "axis", d: `M${LEFT} 8V${HEIGHT - BOTTOM}H${WIDTH - 8}`, fill: "none" }),
      svgElement("text", { x: LEFT - 6, y: 16, "text-anchor": "end" }, top.toFixed(1)),
      svgElement("text", { x: LEFT - 6, y: HEIGHT - BOTTOM, "text-anchor": "end" }, "0"),
      svgElement("text", { x: WIDTH - 8, y: HEIGHT - 8, "text-anchor": "end" }, `${this.#steps} updates`),
      svgElement("text", { x: LEFT, y: HEIGHT - 8 }, "loss (line, smoothed), error of validations (dashed, of 1)"),
      svgElement("path", { class: "loss", d: path(this.#losses, top) }),
      svgElement("path", { class: "error", d: path(this.#errors, 1) }),
    ];
  }
}
