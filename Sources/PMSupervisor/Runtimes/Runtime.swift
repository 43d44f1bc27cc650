public import PMModel
public import PMSystem

/// Form of the messages between the daemon and a process of a unit over descriptor 3.
public enum ChannelKind: UInt8, Sendable {
    /// No channel: the program does not answer calls.
    case none
    /// Newline-delimited JSON-RPC.
    case rpc
    /// Newline-delimited JSON-RPC with a container, which may call services and do nothing else.
    case contained
    /// Node's IPC channel: newline-delimited JSON (NODE_CHANNEL_SERIALIZATION_MODE=json).
    case nodeIPC
}

/// The executed program and its directory: the part of a launch that is worth remembering.
public struct Invocation: Equatable, Sendable {
    /// The program: a path, or a name that is looked up in the PATH of the process to be.
    public var executable: String
    /// The arguments, the program's name first.
    public var arguments: [String]
    /// The working directory.
    public var directory: String
}

/// A program to run, without the descriptors it gets.
public struct Launch: Equatable, Sendable {
    /// The program to execute.
    public var invocation: Invocation
    /// `NAME=value` strings.
    public var environment: [String]
    /// Form of the channel between the daemon and the process.
    public var channel: ChannelKind
    /// The user that it runs as; nil: that of its unit.
    public var identity: UserIdentity?
    /// Directories that it reads from, besides that of what is executed.
    public var directories: [String] = []
    /// True when the program is Node under its inspector.
    public var isInspected = false
    /// The pool in whose process it runs as a thread; nil: the program has a process of its own.
    public var pool: Unit?
}

/// Environment of a program.
public struct LaunchEnvironment: Sendable {
    /// `NAME=value` strings.
    public var environment: [String]
    /// The user that it runs as; nil: the daemon's.
    public var identity: UserIdentity?

    /// Makes an environment, and an identity that replaces the unit's.
    public init(environment: [String], identity: UserIdentity? = nil) {
        self.environment = environment
        self.identity = identity
    }
}

extension SpawnFailure {
    /// A system call that failed in a check.
    init(_ check: LaunchCheck, _ object: String = "", call error: SystemError) {
        self.init(.launch(check), object, code: error.code, detail: error.call)
    }

    /// Makes the system calls of a check.
    static func of<Value>(
        _ check: LaunchCheck, _ body: () throws(SystemError) -> Value
    ) throws(SpawnFailure) -> Value {
        do throws(SystemError) {
            return try body()
        } catch {
            throw SpawnFailure(check, call: error)
        }
    }
}

/// Turns a unit into a program to run.
@PMActor
public protocol Runtime {
    /// The program for a unit.
    ///
    /// - Throws: `SpawnFailure` when the unit cannot be run.
    func launch(_ unit: Unit, _ options: RunOptions) throws(SpawnFailure) -> Launch
}
