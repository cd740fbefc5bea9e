// Packages the extension: npm run vsix
//
// A .vsix is a zip: what the extension consists of under extension/, a manifest for the marketplace and the MIME types of
// the files. The bundles in out/ are made by build.mjs. The same files give the same bytes on every machine.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { zipSync } from "fflate";

const FILES = [
  "icon.png",
  "language-configuration.json",
  "package.json",
  "syntaxes/markdown.tmLanguage.json",
  "syntaxes/resnet.tmLanguage.json",
];

const MIME_TYPES = {
  ".css": "text/css",
  ".js": "application/javascript",
  ".json": "application/json",
  ".md": "text/markdown",
  ".png": "image/png",
  ".txt": "text/plain",
  ".vsixmanifest": "text/xml",
};

const root = new URL("./", import.meta.url);
const read = (path) => readFileSync(new URL(path, root));

/**
 * The bytes of the .vsix.
 *
 * @param {string} bundles the folder of what build.mjs made
 */
export function packageExtension(bundles = fileURLToPath(new URL("out", root))) {
  const manifest = JSON.parse(read("package.json").toString());
  const entries = {
    "[Content_Types].xml": text(contentTypes()),
    "extension.vsixmanifest": text(vsixManifest(manifest)),
    "extension/CHANGELOG.md": text(withAddresses(read("CHANGELOG.md").toString(), manifest)),
    "extension/LICENSE.txt": read("../../LICENSE"),
    "extension/README.md": text(withAddresses(read("README.md").toString(), manifest)),
  };
  for (const file of FILES) entries[`extension/${file}`] = read(file);
  for (const name of readdirSync(bundles).sort())
    entries[`extension/out/${name}`] = readFileSync(path.join(bundles, name));
  // Zip knows local time alone, so the components of the date are what must be fixed.
  return zipSync(entries, { level: 9, mtime: new Date(1980, 0, 1), os: 0 });
}

const text = (string) => Buffer.from(string);

/** A page whose links and images are found from the marketplace, too: with addresses in place of paths. */
function withAddresses(page, { repository }) {
  const base = repository.url.replace(/\.git$/, "");
  return page.replace(/(!?)\[([^\]]*)\]\((?!\w+:|#)([^)\s]+)\)/g, (_, image, label, link) => {
    const { pathname, hash } = new URL(link, `file:///${repository.directory}/`);
    return `${image}[${label}](${base}/${image ? "raw" : "blob"}/main${pathname}${hash})`;
  });
}

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
  icon,
  galleryBanner,
  repository,
  homepage,
  bugs,
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
    `    <GalleryFlags>Public</GalleryFlags>`,
    `    <License>extension/LICENSE.txt</License>`,
    `    <Icon>extension/${xml(icon)}</Icon>`,
    `    <Properties>`,
    `      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${xml(engines.vscode)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="workspace,web"/>`,
    `      <Property Id="Microsoft.VisualStudio.Code.ExtensionDependencies" Value=""/>`,
    `      <Property Id="Microsoft.VisualStudio.Code.ExtensionPack" Value=""/>`,
    `      <Property Id="Microsoft.VisualStudio.Services.Links.Source" Value="${xml(repository.url)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Services.Links.Getstarted" Value="${xml(repository.url)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Services.Links.GitHub" Value="${xml(repository.url)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Services.Links.Support" Value="${xml(bugs.url)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Services.Links.Learn" Value="${xml(homepage)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Services.Branding.Color" Value="${xml(galleryBanner.color)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Services.Branding.Theme" Value="${xml(galleryBanner.theme)}"/>`,
    `      <Property Id="Microsoft.VisualStudio.Services.GitHubFlavoredMarkdown" Value="true"/>`,
    `    </Properties>`,
    `  </Metadata>`,
    `  <Installation>`,
    `    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>`,
    `  </Installation>`,
    `  <Dependencies/>`,
    `  <Assets>`,
    `    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>`,
    `    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>`,
    `    <Asset Type="Microsoft.VisualStudio.Services.Content.Changelog" Path="extension/CHANGELOG.md" Addressable="true"/>`,
    `    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>`,
    `    <Asset Type="Microsoft.VisualStudio.Services.Icons.Default" Path="extension/${xml(icon)}" Addressable="true"/>`,
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
