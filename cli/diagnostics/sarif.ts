/** Diagnostics as SARIF 2.1.0, which code scanning of GitHub, GitLab and Azure reads. */
import { CODES } from "../../compiler/diagnostics/codes.js";
import type { DiagnosticJson, LocationJson } from "../../compiler/diagnostics/render.js";

export function sarif(diagnostics: readonly DiagnosticJson[], version: string): object {
  const codes = [...new Set(diagnostics.map(({ code }) => code))].sort();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "resnetc", semanticVersion: version, rules: codes.map(ruleOf) } },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map((diagnostic) => resultOf(diagnostic, codes)),
      },
    ],
  };
}

function ruleOf(code: string): object {
  const { severity, summary } = CODES[code as keyof typeof CODES];
  return {
    id: code,
    shortDescription: { text: summary },
    help: { text: `resnetc explain ${code}` },
    defaultConfiguration: { level: severity },
  };
}

function resultOf(diagnostic: DiagnosticJson, codes: readonly string[]): object {
  const { code, severity, message, location, notes, chain, help, fix } = diagnostic;
  const related = [
    ...notes.flatMap((note) => (note.location === undefined ? [] : [{ text: note.message, place: note.location }])),
    ...chain.map((link) => ({ text: `in ${link.label}`, place: link.location })),
  ];
  const unplaced = notes.flatMap((note) => (note.location === undefined ? [note.message] : []));
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: [message, ...unplaced, ...(help === undefined ? [] : [help])].join("\n") },
    locations: [{ physicalLocation: physical(location) }],
    ...(related.length > 0 && {
      relatedLocations: related.map(({ text, place }, id) => ({
        id,
        message: { text },
        physicalLocation: physical(place),
      })),
    }),
    ...(fix !== undefined && {
      fixes: [
        {
          artifactChanges: [
            {
              artifactLocation: artifact(location),
              replacements: [{ deletedRegion: region(location), insertedContent: { text: fix } }],
            },
          ],
        },
      ],
    }),
  };
}

const physical = (place: LocationJson): object => ({ artifactLocation: artifact(place), region: region(place) });

function region({ line, column, endLine, endColumn, offset, length }: LocationJson): object {
  return {
    startLine: line,
    startColumn: column,
    endLine,
    endColumn,
    charOffset: offset,
    charLength: length,
  };
}

/** A relative reference, or the address of a file. */
function artifact({ file }: LocationJson): object {
  const path = file.split("/").map(encodeURIComponent).join("/");
  if (file.startsWith("/")) return { uri: `file://${path}` };
  return { uri: /^[A-Za-z]:/.test(file) ? `file:///${path}` : path };
}
