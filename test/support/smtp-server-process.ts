import { join } from 'node:path';
import { Program } from './program';
import { type Behaviour, type SmtpServer, type SmtpServerOptions } from './smtp-server';

export interface SmtpServerProcess {
  port: number;
  pid: number;
  behave(change: Partial<Behaviour>): Promise<void>;
  stats(): Promise<SmtpServer['stats']>;
  dropConnections(): Promise<void>;
  /** Ends it with the signal and waits until it is gone; the journal stays. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** The scripted server as a process of its own, for load and for killing. */
export async function startSmtpServerProcess(options: SmtpServerOptions = {}): Promise<SmtpServerProcess> {
  const script = join(__dirname, 'smtp-server.ts');
  const { port = 0, journal, ...rest } = options;
  const args = ['--port', String(port), '--options', JSON.stringify(rest), ...(journal ? ['--journal', journal] : [])];
  const flags = ['--disable-warning=ExperimentalWarning', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'];
  const program = Program.start(process.execPath, [...flags, script, ...args], { name: 'the SMTP server' });
  const ports = JSON.parse(await program.says(/^(\{"port".*\})\n/m)) as { port: number; controlPort: number };
  const control = (method: string, body?: unknown) =>
    fetch(`http://127.0.0.1:${ports.controlPort}/`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  return {
    port: ports.port,
    pid: program.pid,
    behave: async (change) => void (await control('PUT', change)),
    stats: async () => (await (await control('GET')).json()) as SmtpServer['stats'],
    dropConnections: async () => void (await control('DELETE')),
    kill: (signal = 'SIGTERM') => program.kill(signal),
  };
}
