/** The manifest of docs/several-machines.md: what the MPI operator takes, and a command that resnetc takes. */
import { readFileSync } from "node:fs";
import path from "node:path";
import Ajv from "ajv";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { program } from "../../cli/program.js";
import { page, ROOT } from "../support/pages.js";

interface Job {
  readonly spec: {
    readonly mpiReplicaSpecs: Readonly<
      Record<
        "Launcher" | "Worker",
        {
          readonly replicas: number;
          readonly template: {
            readonly spec: {
              readonly containers: readonly [
                { readonly args: readonly string[]; readonly volumeMounts?: readonly Named[] },
              ];
              readonly volumes?: readonly Named[];
            };
          };
        }
      >
    >;
  };
}

interface Named {
  readonly name: string;
}

const manifest = page("docs/several-machines.md").blocks.find(({ language }) => language === "yaml")!;
const job = parse(manifest.code) as Job;

// The schema is that of the operator's CRD: test/oracle/mpijob_schema.py.
it("is an MPIJob of kubeflow.org/v2beta1", () => {
  const schema = JSON.parse(readFileSync(path.join(ROOT, "test/golden/mpijob.schema.json"), "utf8")) as object;
  const ajv = new Ajv({ unknownFormats: "ignore" });
  expect([ajv.validate(schema, job), ajv.errors]).toEqual([true, null]);
  const other = JSON.parse(JSON.stringify(job).replace('"slotsPerWorker"', '"slots"')) as Job;
  expect(ajv.validate(schema, other)).toBe(false);
});

it("has as many workers as ranks, and volumes for what it mounts", () => {
  const { Launcher, Worker } = job.spec.mpiReplicaSpecs;
  const { args } = Launcher.template.spec.containers[0];
  expect(args[args.indexOf("-np") + 1]).toBe(String(Worker.replicas));
  const { containers, volumes = [] } = Worker.template.spec;
  const names = (all: readonly Named[] = []): readonly string[] => all.map(({ name }) => name);
  expect(names(containers[0].volumeMounts)).toEqual(names(volumes));
});

it("trains by a command that there is", async () => {
  const { args } = job.spec.mpiReplicaSpecs.Launcher.template.spec.containers[0];
  const root = program();
  let target: unknown;
  root.commands.find((command) => command.name() === "train")!.action((given: unknown) => void (target = given));
  await root.parseAsync(["node", ...args.slice(args.indexOf("resnetc"))]);
  expect(target).toBe("ResNet50");
});
