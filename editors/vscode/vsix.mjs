// Packages the extension: npm run vsix
//
// A .vsix is a zip: what the extension consists of under extension/, a manifest for the marketplace and the MIME types of
// the files. The same files give the same bytes on every machine.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { zipSync } from "fflate";

const FOLDERS = ["snippets", "syntaxes"];
const FILES = ["README.md", "language-configuration.json", "package.json"];

const MIME_TYPES = {
  ".json": "application/json",
  ".md": "text/markdown",
  ".txt": "text/plain",
  ".vsixmanifest": "text/xml",
};

const root = new URL("./", import.meta.url);
const read = (path) => readFileSync(new URL(path, root));

/** The bytes of the .vsix. */
export function packageExtension() {
  const manifest = JSON.parse(read("package.json").toString());
  const files = [
    ...FILES,
    ...FOLDERS.flatMap((folder) => readdirSync(new URL(folder, root)).map((name) => `${folder}/${name}`)),
  ].sort();
  const entries = {
    "[Content_Types].xml": text(contentTypes()),
    "extension.vsixmanifest": text(vsixManifest(manifest)),
    "extension/LICENSE.txt": read("../../LICENSE"),
  };
  for (const file of files) entries[`extension/${file}`] = read(file);
  // Zip knows local time alone, so the components of the date are what must be fixed.
  return zipSync(entries, { level: 9, mtime: new Date(1980, 0, 1), os: 0 });
}

const text = (string) => Buffer.from(string);

function contentTypes() {
  const types = Object.entries(MIME_TYPES).map(
    ([extension, type]) => `  <Default Extension="${extension}" ContentType="${type}"/>`,
  );
  return [
    `<?xml version="1.0" encoding="utf-8"?>`,
    `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">`,
    ...types,
    `</Types>`,
    ``,
  ].join("\n");
}

function vsixManifest({
  name,
  displayName,
  description,
  version,
  publisher,
  engines,
  categories,
  keywords,
  contributes,
}) {
  const extensions = contributes.languages.flatMap((language) => language.extensions ?? []);
  const tags = [
    ...keywords,
    ...contributes.languages.map(({ id }) => id),
    ...extensions.map((e) => `__ext_${e.slice(1)}`),
  ];
  return [
    `<?xml version="1.0" encoding="utf-8"?>`,
    `<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">`,
    `  <Metadata>`,
    `    <Identity Language="en-US" Id="${xml(name)}" Version="${xml(version)}" Publisher="${xml(publisher)}"/>`,
    `    <DisplayName>${xml(displayName)}</DisplayName>`,
    `    <Description xml:space="preserve">${xml(description)}</Description>`,
    `    <Tags>${xml([...new Set(tags)].join(","))}</Tags>`,
    `    <Categories>${xml(categories.join(","))}</Categories>`,
    `    <License>extension/LICENSE.txt</License>`,
    `    <Properties>`,
    `      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${xml(engines.vscode)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="ui,workspace,web"/>`,
    `    </Properties>`,
    `  </Metadata>`,
    `  <Installation>`,
    `    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>`,
    `  </Installation>`,
    `  <Dependencies/>`,
    `  <Assets>`,
    `    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>`,
    `    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>`,
    `    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>`,
    `  </Assets>`,
    `</PackageManifest>`,
    ``,
  ].join("\n");
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const xml = (string) => string.replace(/[&<>"]/g, (character) => ENTITIES[character]);

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const target = new URL("resnet-language.vsix", root);
  const bytes = packageExtension();
  writeFileSync(target, bytes);
  console.log(`${fileURLToPath(target)}: ${bytes.length} bytes`);
}
