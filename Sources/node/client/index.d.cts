/** Thrown by a command that needs to know more from the person who called it. */
export class InteractError extends Error {
  constructor(message: string, as?: string);
  readonly code: 'INTERACT';
  /** The option that takes the answer; without it the answer becomes one more argument. */
  readonly as: string | undefined;
  toJSON(): { code: 'INTERACT'; message: string; as?: string };
}

/**
 * Asks the person at the command line: it prints the message, reads a line and calls the command again with it.
 * @throws {InteractError} always
 */
export function interact(message: string, as?: string): never;

/** A name such as `brave-stallman`; with `retry` a digit is appended. */
export function getRandomName(retry?: number): string;

/** A way to carry messages. */
export type Transport =
  | 'jsonrpc+unix+tls' | 'jsonrpc+unix' | 'jsonrpc+tcp+tls' | 'jsonrpc+tcp' | 'wss' | 'ws' | 'https' | 'http';

/** The order of preference. */
export const defaultOrders: readonly Transport[];

/** Options of a connection point. PEM is the text, or the path of a file. */
export interface PointOptions {
  /** The service's certificate: it is trusted, whatever names stand in it. With `ca`, the client's own. */
  cert?: string | Buffer;
  /** The client's key; only with `ca`. */
  key?: string | Buffer;
  /** Authorities that are trusted; names are checked then. */
  ca?: string | Buffer;
  servername?: string;
  rejectUnauthorized?: boolean;
  /** The path of HTTP; `/rpc` without it. */
  path?: string;
  [other: string]: unknown;
}

/** URLs and their options. */
export type ConnectionMap = Record<string, PointOptions>;

/** Options of calls. */
export interface CallOptions {
  /** Gives the call up: the service gets `$/cancel`, and the call rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Timeout in milliseconds: the call fails with statusCode 504 and code `PM_DEADLINE`, and the service gets `$/cancel`. */
  timeout?: number;
}

/** A command and how each kind of caller reaches it. */
export interface CommandMetadata {
  name: string;
  config: Record<string, unknown>;
}

/** The commands of a container. */
export interface Metadata {
  name: string;
  commands: CommandMetadata[];
}

/** What a failed call rejects with: an `Error` with the members it had where it was thrown. */
export interface CallError extends Error {
  statusCode?: number;
  code?: string | number;
  hint?: string;
  /** Whether trying again makes sense. */
  retry?: boolean;
  [member: string]: unknown;
}

/** What can be called by name, wherever it runs. */
export interface Dispatcher {
  name?: string;
  commands?: CommandMetadata[];
  dispatch(command: string, ...params: unknown[]): unknown;
}

/** Commands of this process, and those of others that were registered in it. */
export class Container {
  /** `state` is `this` of commands whose functions are in files. */
  constructor(name: string, state?: unknown);
  readonly name: string;
  readonly state: unknown;
  readonly commands: CommandMetadata[];
  readonly metadata: Metadata;
  /** Registers a command, in place of an earlier one of its name. */
  register(command: string | { name: string; config?: object }, run: (...params: any[]) => unknown): this;
  /** The same for a function that a file exports by default; its path is relative to the file that registers it. */
  register(command: { name: string; config: { fs: { path: string } } & Record<string, unknown> }): this;
  /**
   * Makes this container the service that pm has started this program as.
   * @throws {CallError} 503 in a program that pm has not started as a commandable service
   */
  serve(): Promise<void>;
  /** Registers all commands of another container; a call here is a call there. */
  registerMultiple(other: Dispatcher, condition?: (command: CommandMetadata) => boolean): this;
  /** Calls a command; with one object `{params: [...], …}` that is sent as it is. */
  dispatch<Result = any>(command: string, ...params: unknown[]): Promise<Result>;
  /** The names of the commands. */
  keys(): string[];
  /** A command; null when there is none of that name. */
  resolve(name: string): CommandMetadata | null;
  /** Takes a command away. */
  unregister(name: string): void;
  /** Calls a command as triggers of the reference do: the promise rejects with the result, and resolves with the error. */
  handle(origin: unknown, command: string | CommandMetadata, ...params: unknown[]): Promise<unknown>;
  /** Mounts commands with an `http` configuration as routes; returns them. */
  attach(trigger: 'http', router: object): string[];
  /** Lets a trigger make the commands reachable its own way. */
  attach<Targets extends unknown[], Result>(
    trigger: { register(container: any, ...targets: Targets): Result } | ((container: any, ...targets: Targets) => Result),
    ...targets: Targets
  ): Result;
}

/** The commands of a service, or of the daemon. A connection that has ended is opened again by the next call. */
export class RemoteContainer extends Container {
  private constructor();
  /**
   * Calls a command of the service. The result of a stream is an async iterable; one of the parameters may be a stream.
   * @throws {CallError} what the service answered; statusCode 503 with `retry` when the connection ended before
   */
  dispatch<Result = any>(command: string, ...params: unknown[]): Promise<Result>;
  /** The same service with options for its calls. */
  with(options: CallOptions): RemoteContainer;
  /** Asks what it offers now. */
  refresh(): Promise<Metadata>;
  /** The same, and the next call may reach it in another way. */
  renew(): Promise<Metadata>;
  /** Ends its connection; the next call opens another. */
  close(): void;
}

/** Which daemon is meant; without any of these the one that runs this service, else the one of this folder. */
export interface DaemonOptions {
  /** The daemon itself, as a container. */
  pm?: Dispatcher;
  /** URL or path of its socket. */
  pmSock?: string | URL;
  /** Its configuration file, or the folder of it. */
  configFile?: string | URL;
}

/** Options of `sidecar`. */
export interface SidecarOptions extends DaemonOptions {
  /** Takes what another machine could reach first. */
  preferRemote?: boolean;
  /** The order of preference, instead of `defaultOrders`. */
  orders?: readonly string[];
  /** Gives up connecting. */
  signal?: AbortSignal;
}

/** A service whose commands are known: `dispatch` takes their names and parameters only. */
export type ServiceOf<Commands> = Omit<RemoteContainer, 'dispatch'> & {
  dispatch<Name extends keyof Commands & string>(
    command: Name, ...params: Commands[Name] extends (...params: infer Params) => unknown ? Params : never
  ): Commands[Name] extends (...params: never[]) => infer Result ? Result : never;
};

/**
 * Services by name: `await sidecar()['my-app']`; `pm` is the daemon. `pm types > services.d.ts` declares the `Services` that
 * run, and with `sidecar<Services>()` their names and commands are checked.
 */
export type Sidecar<Services = Record<string, never>> = Record<string, never> extends Services
  ? Readonly<Record<string, Promise<RemoteContainer>>>
  : { readonly [Name in keyof Services]: Promise<ServiceOf<Services[Name]>> } & { readonly pm: Promise<RemoteContainer> };

/** Services as properties, connected when they are asked for first. */
export function sidecar<Services = Record<string, never>>(options?: SidecarOptions): Sidecar<Services>;

/** The same sidecar for all who ask; the options of the first one count. */
export function sidecarSingleton<Services = Record<string, never>>(options?: SidecarOptions): Sidecar<Services>;

/** The commands of pm itself. */
export const meta: Metadata;

/** What a worker of pm sees of its pool. */
export interface Pool {
  /** The name of the pool's unit. */
  readonly name: string;
  /** The name of this worker. */
  readonly worker: string;
  /** Memory of that name, made by the first worker that asks for it; rejects when it is there with another size. */
  shared(name: string, bytes: number): Promise<SharedArrayBuffer>;
  /** A port to another worker of the pool, which gets an event `connection`. */
  connect(worker: string): Promise<import('worker_threads').MessagePort>;
  /** The names of the workers that run in the pool. */
  workers(): Promise<string[]>;
  on(event: 'connection', listener: (port: import('worker_threads').MessagePort, from: string) => void): this;
  off(event: 'connection', listener: (port: import('worker_threads').MessagePort, from: string) => void): this;
}

/** The pool that this program is a worker of; null elsewhere. */
export const pool: Pool | null;

/** Where to reach a service, by transport or by URL. */
export type ConnectionConfiguration = {
  [transport in Transport]?: URL | string | (PointOptions & { url?: string | URL; host?: string; port?: number; socketPath?: string });
} & { [url: `${string}://${string}`]: PointOptions };

/**
 * Where a service can be reached, and what it offers.
 * @throws {CallError} 404 for a service that does not run
 */
export function connect(
  name: string,
  configuration?: (SidecarOptions | Dispatcher) & ConnectionConfiguration,
): Promise<{ connect: Promise<ConnectionMap>; container: RemoteContainer }>;

/** A connection. */
export interface Processor {
  readonly isClosed: boolean;
  call(method: string, params?: unknown[] | object, options?: CallOptions): Promise<unknown>;
  notify(method: string, params?: unknown[]): void;
  onClose(listener: (cause?: Error) => void): void;
  close(): void;
}

/** Connects to a service at the first of its connection points that answers. */
export function connectByPreference(
  map: ConnectionMap,
  options?: { metadata?: Metadata; container?: undefined; signal?: AbortSignal },
  ...orders: readonly string[]
): Promise<{ container: RemoteContainer; processor: Processor }>;
/** The same, registering its commands in a container. */
export function connectByPreference<C extends { registerMultiple(other: any): unknown }>(
  map: ConnectionMap,
  options: { metadata?: Metadata; container: C; signal?: AbortSignal },
  ...orders: readonly string[]
): Promise<{ container: C; processor: Processor }>;
