/** A Slurm of this machine's own for a test: Debian's slurm-wlm and munge, two nodes that are both this machine. */

import { userInfo } from "node:os";
import { namesIn } from "./commands_running.ts";

// Debian puts daemons where the PATH of a person may not look.
const path = `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin`;

/** Whether there is a Slurm to be started. */
export const hasSlurm = ["munged", "slurmctld", "slurmd", "sbatch"].every((program) => {
  try {
    // Without a configuration some of them fail; it is enough that they are there.
    new Deno.Command(program, { args: ["-V"], env: { PATH: path } }).outputSync();
    return true;
  } catch {
    return false;
  }
});

/** The names of its nodes, of two cores each. */
export const nodes = ["one", "two"] as const;

/** Tasks of the partition `low`, the default, make room for those of `high`, and are put back into the queue. */
export class TestSlurm implements AsyncDisposable {
  /** What its commands need in their environment. */
  readonly env: Record<string, string>;
  readonly #daemons: Deno.ChildProcess[] = [];

  private constructor(readonly folder: string) {
    this.env = { SLURM_CONF: `${folder}/slurm.conf`, PATH: path };
  }

  /** Starts munge, the controller and the nodes, with everything that they keep in a folder. */
  static async start(folder: string): Promise<TestSlurm> {
    const slurm = new TestSlurm(folder);
    await Deno.mkdir(`${folder}/state`);
    await Deno.writeFile(`${folder}/munge.key`, crypto.getRandomValues(new Uint8Array(128)), { mode: 0o600 });
    await Deno.writeTextFile(`${folder}/slurm.conf`, configuration(folder));
    try {
      const own = ["socket", "key-file", "pid-file", "log-file", "seed-file"];
      slurm.#start(
        "munged",
        "--foreground",
        "--force",
        ...own.map((name) => `--${name}=${folder}/munge.${name.replace("-file", "")}`),
      );
      await until(() => Deno.stat(`${folder}/munge.socket`).then(() => true, () => false), "munge");
      slurm.#start("slurmctld", "-D");
      for (const node of nodes) slurm.#start("slurmd", "-D", "-N", node);
      const idle = async () =>
        (await slurm.run("sinfo", "--noheader", "--format=%T %D").catch(() => "")).trim();
      await until(async () => await idle() === `idle ${nodes.length}`, "the nodes");
      return slurm;
    } catch (error) {
      await slurm[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What a command of Slurm's says. */
  async run(program: string, ...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(program, { args, env: this.env }).output();
    const text = new TextDecoder();
    if (!success) throw new Error(`${program} ${args.join(" ")}: ${text.decode(stderr)}`);
    return text.decode(stdout);
  }

  /** Sends a signal to the script of a task, as Slurm does before the task's time is over. */
  async warn(task: string, signal: string): Promise<void> {
    const args = ["--batch", `--signal=${signal}`, task];
    const silent = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const child = new Deno.Command("scancel", { args, env: this.env, ...silent }).spawn();
    // It would go on for minutes where the task is put back into the queue at once.
    const timer = setTimeout(() => child.kill("SIGKILL"), 3000);
    await child.status;
    clearTimeout(timer);
  }

  /** Ends what still runs, and the daemons. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("scancel", `--user=${userInfo().username}`).catch(() => {});
    await until(async () => await this.run("squeue", "--noheader") === "", "the queue").catch(() => {});
    for (const daemon of this.#daemons.toReversed()) {
      try {
        daemon.kill("SIGTERM");
      } catch {
        // It has ended by itself.
      }
      await daemon.status;
    }
  }

  #start(program: string, ...args: string[]): void {
    const silent = { stdin: "null", stdout: "null", stderr: "null" } as const;
    this.#daemons.push(new Deno.Command(program, { args, env: this.env, ...silent }).spawn());
  }
}

function configuration(folder: string): string {
  const [user, host] = [userInfo().username, Deno.hostname()];
  const [controller, ...ports] = freePorts(1 + nodes.length);
  // A requeued task waits until its old credential has expired, two minutes unless said.
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmctldPort=${controller}
SlurmUser=${user}
SlurmdUser=${user}
AuthType=auth/munge
AuthInfo=socket=${folder}/munge.socket,cred_expire=5
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=0
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
${
    nodes.map((node, i) =>
      `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=2\n`
    ).join("")
  }
PartitionName=low Nodes=${nodes} Default=YES PriorityTier=1 State=UP
PartitionName=high Nodes=${nodes} PriorityTier=10 State=UP
`;
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ port: 0, hostname: "127.0.0.1" }));
  const ports = listeners.map(({ addr }) => (addr as Deno.NetAddr).port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** Waits until something is so, two minutes at the most. */
export async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; !await holds(); tries++) {
    if (tries === 600) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Whether any task of a run's first array, or Slurm in its name, has said so. */
export async function said(out: string, pattern: RegExp): Promise<boolean> {
  for (const name of await namesIn(`${out}/slurm/1`)) {
    if (name.endsWith(".log") && pattern.test(await Deno.readTextFile(`${out}/slurm/1/${name}`))) return true;
  }
  return false;
}
