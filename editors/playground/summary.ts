/** The table of a network: stages, what they give and what they cost. */
import type { Summary } from "../../compiler/summary.js";
import { element } from "./dom.js";

const number = (value: number | null): string => (value === null ? "–" : value.toLocaleString("en-US"));
const size = (shape: readonly (number | string)[]): string => shape.slice(1).join("×");

export function summaryTable(summary: Summary): HTMLElement {
  const cell = (text: string, kind = ""): HTMLElement => element("td", kind === "" ? {} : { class: kind }, text);
  const head = ["stage", "output", "layers", "parameters", "multiply-adds"];
  const rows = summary.stages.map((stage) =>
    element(
      "tr",
      {},
      cell(stage.path),
      cell(size(stage.output)),
      element(
        "td",
        {},
        ...stage.parts.map(({ labels, count }) =>
          element("div", {}, `${labels.join("; ")}${count > 1 ? ` × ${count}` : ""}`),
        ),
      ),
      cell(number(stage.params), "n"),
      cell(number(stage.macs), "n"),
    ),
  );
  const columns = head.map((name, at) => element("th", at > 2 ? { class: "n", scope: "col" } : { scope: "col" }, name));
  return element(
    "div",
    { class: "table" },
    element(
      "table",
      {},
      element("caption", {}, summary.name),
      element("thead", {}, element("tr", {}, ...columns)),
      element("tbody", {}, ...rows),
      element(
        "tfoot",
        {},
        element(
          "tr",
          {},
          cell("in all"),
          cell(""),
          cell(""),
          cell(number(summary.params), "n"),
          cell(number(summary.macs), "n"),
        ),
      ),
    ),
  );
}

/** Side by side what two networks cost, and how they differ. */
export function comparison([first, second]: readonly Summary[]): HTMLElement {
  const rows = (["params", "macs", "activations"] as const).map((key) => {
    const [a, b] = [first![key], second![key]];
    const ratio = a !== null && b !== null && b !== 0 ? `${(a / b).toFixed(2)}×` : "–";
    const name = { params: "parameters", macs: "multiply-adds", activations: "bytes of activations" }[key];
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, name),
      ...[number(a), number(b), ratio].map((text) => element("td", { class: "n" }, text)),
    );
  });
  const columns = ["", first!.name, second!.name, "ratio"].map((name) =>
    element("th", { scope: "col", class: "n" }, name),
  );
  return element("table", {}, element("thead", {}, element("tr", {}, ...columns)), element("tbody", {}, ...rows));
}
