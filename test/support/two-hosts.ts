/** Two machines in one: network namespaces with names of their own and a cable between them, over which all that ranks tell goes. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Mpi } from "./mpi.js";

export interface TwoHosts {
  /** What starts a program of two ranks, one on each. */
  launcher(mpi: Mpi): readonly string[];
  /** Their names, as ranks know them. */
  readonly names: readonly [string, string];
  /** Bytes that have come to the second over the cable. */
  traffic(): number;
  /** Pulls the cable, and puts it back. */
  cut(): void;
  mend(): void;
  /** Processes on one of them. */
  processes(host: 1 | 2): readonly number[];
  remove(): void;
}

const ip = (...words: readonly string[]): string => execFileSync("ip", words, { encoding: "utf8" });

/** Whether this may be done here: it takes root, and a kernel that lets it. */
export function canHaveHosts(): boolean {
  const name = `rs${process.pid}t`;
  const made = spawnSync("ip", ["netns", "add", name]);
  if (made.status !== 0) return false;
  spawnSync("ip", ["netns", "del", name]);
  return true;
}

export function twoHosts(): TwoHosts {
  const prefix = `rs${process.pid}h`;
  const subnet = `10.77.${process.pid % 250}`;
  const [spaces, cables] = [[1, 2].map((host) => `${prefix}${host}`), [1, 2].map((host) => `v${process.pid}e${host}`)];
  spaces.forEach((space) => ip("netns", "add", space));
  ip("link", "add", cables[0]!, "type", "veth", "peer", "name", cables[1]!);
  spaces.forEach((space, at) => {
    ip("link", "set", cables[at]!, "netns", space);
    ip("-n", space, "addr", "add", `${subnet}.${at + 1}/24`, "dev", cables[at]!);
    ip("-n", space, "link", "set", cables[at]!, "up");
    ip("-n", space, "link", "set", "lo", "up");
  });
  const folder = mkdtempSync(path.join(os.tmpdir(), "resnetc-hosts-"));
  const at = (name: string): string => path.join(folder, name);
  // What launchers take for ssh: options, a host, and a command.
  writeFileSync(
    at("rsh.sh"),
    `#!/bin/sh
while case "$1" in -*) true ;; *) false ;; esac; do shift; done
host=$1; shift
exec ip netns exec ${prefix}\${host##*.} unshare -u sh -c "hostname node\${host##*.}; exec sh -c \\"\\$0\\"" "$*"
`,
  );
  chmodSync(at("rsh.sh"), 0o755);
  writeFileSync(at("openmpi"), `${subnet}.1 slots=1\n${subnet}.2 slots=1\n`);
  writeFileSync(at("mpich"), `${subnet}.1:1\n${subnet}.2:1\n`);
  const mca = (settings: Readonly<Record<string, string | number>>): string[] =>
    Object.entries(settings).flatMap(([name, value]) => ["--mca", name, String(value)]);
  const first = ["ip", "netns", "exec", spaces[0]!, "unshare", "-u", "sh", "-c", 'hostname node1; exec "$0" "$@"'];
  const launchers: Readonly<Record<Mpi, readonly string[]>> = {
    openmpi: [
      ...["mpirun.openmpi", "--hostfile", at("openmpi"), "-np", "2", "--bind-to", "none"],
      ...mca({ plm_rsh_agent: at("rsh.sh"), plm_rsh_no_tree_spawn: 1 }),
      ...mca({ btl_tcp_if_include: `${subnet}.0/24`, oob_tcp_if_include: `${subnet}.0/24` }),
      // As docs/several-machines.md has them.
      ...mca({ oob_tcp_keepalive_time: 5, oob_tcp_keepalive_intvl: 2, oob_tcp_keepalive_probes: 3 }),
    ],
    mpich: [
      ...["mpirun.mpich", "-f", at("mpich"), "-np", "2", "-launcher", "rsh", "-launcher-exec", at("rsh.sh")],
      // It would find that both have the same memory.
      ...["-iface", cables[0]!, "-genv", "UCX_TLS", "tcp,self"],
    ],
  };
  return {
    launcher: (mpi) => [...first, ...launchers[mpi]],
    names: ["node1", "node2"],
    traffic: () =>
      Number(
        execFileSync("ip", ["netns", "exec", spaces[1]!, "cat", `/sys/class/net/${cables[1]!}/statistics/rx_bytes`], {
          encoding: "utf8",
        }),
      ),
    cut: () => void ip("-n", spaces[0]!, "link", "set", cables[0]!, "down"),
    mend: () => void ip("-n", spaces[0]!, "link", "set", cables[0]!, "up"),
    processes: (host) => {
      const pids = ip("netns", "pids", spaces[host - 1]!)
        .split("\n")
        .filter(Boolean)
        .map(Number);
      return pids.filter((pid) => !isZombie(pid));
    },
    remove() {
      for (const host of [1, 2] as const) this.processes(host).forEach((pid) => process.kill(pid, "SIGKILL"));
      spaces.forEach((space) => spawnSync("ip", ["netns", "del", space]));
      rmSync(folder, { recursive: true });
    },
  };
}

function isZombie(pid: number): boolean {
  try {
    return /^.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
