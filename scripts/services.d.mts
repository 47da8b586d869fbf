export interface Provided {
  url: string;
  stop(): Promise<void>;
}

/** A server of our own; it is stopped when this process ends, however it ends. */
export interface Service<StopMode extends string> {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly logFile: string;
  /** Undefined while the server is down. */
  readonly pid: number | undefined;
  readonly running: boolean;
  /** On the same port and data as before; does nothing if it is running. */
  start(): Promise<void>;
  /** Returns once the process is gone. */
  stop(mode?: StopMode): Promise<void>;
  /** kill -9; returns once the process is gone. */
  kill(): Promise<void>;
  restart(mode?: StopMode): Promise<void>;
}

export type Postgres = Service<'fast' | 'immediate' | 'smart'>;
export type Redis = Service<'graceful'>;

export interface PostgresOptions {
  dataDir: string;
  port?: number;
  fresh?: boolean;
  settings?: Record<string, string>;
}

export interface RedisOptions {
  dataDir: string;
  port?: number;
  fresh?: boolean;
  extraArgs?: string[];
}

export function startPostgres(options: PostgresOptions): Promise<Postgres>;
export function providePostgres(options: PostgresOptions): Promise<Provided>;
export function startRedis(options: RedisOptions): Promise<Redis>;
export function provideRedis(options: RedisOptions): Promise<Provided>;
export function findRedisServer(): Promise<string>;
export function findChromium(): Promise<{ executablePath: string; env: Record<string, string>; args: string[] }>;
