import CPMLinux
public import Glibc
import PMModel

/// A program that this process starts and waits for itself; the daemon's children go through `InitChannel` instead.
public struct ChildProcess: Sendable {
    /// The program's path; without a slash it is looked up in the `PATH` of `environment`.
    public var path: String
    /// The arguments, without the program's name; `ByteText`, as all strings here.
    public var arguments: [String]
    /// `NAME=value` strings.
    public var environment: [String]
    /// The working directory; nil: ours.
    public var directory: String?
    /// Descriptors that become 0, 1, 2… of the child; all others are closed in it.
    public var descriptors: [Int32] = [0, 1, 2]
    /// True when it leaves our session and terminal (setsid(2)).
    public var isDetached = false

    /// Describes a program with our own directory and standard descriptors.
    public init(path: String, arguments: [String], environment: [String]) {
        self.path = path
        self.arguments = arguments
        self.environment = environment
    }

    /// Starts it with default signal handling and no signal blocked; tells its process id.
    ///
    /// - Throws: `SystemError`; the operation is the step that failed, `chdir` or `exec` for example.
    public func start() throws(SystemError) -> pid_t {
        var child = pm_child()
        try start(&child, flags: 0)
        return child.pid
    }

    private func start(_ child: inout pm_child, flags: UInt32) throws(SystemError) {
        var failure = pm_spawn_failure()
        let started = withCStrings([path] + arguments) { argv in
            withCStrings(environment) { envp in
                withOptionalCString(directory) { cwd in
                    spawn(Strings(argv: argv, envp: envp, cwd: cwd), flags, &child, &failure)
                }
            }
        }
        if started { return }
        let object = failure.step == .PM_STEP_DIRECTORY ? directory ?? "" : path
        throw SystemError(String(cString: pm_step_name(failure.step)), object, code: failure.error)
    }

    /// Starts it, to be watched by its descriptor.
    ///
    /// - Throws: as `start`.
    public func startHeld() throws(SystemError) -> ChildDescriptor {
        var child = pm_child()
        try start(&child, flags: UInt32(PM_SPAWN_WANT_PIDFD))
        return ChildDescriptor(SharedFD(owning: child.pidfd))
    }

    private typealias Texts = UnsafePointer<UnsafePointer<CChar>?>

    private struct Strings {
        let argv: Texts, envp: Texts
        let cwd: UnsafePointer<CChar>?
    }

    private func spawn(
        _ strings: Strings, _ flags: UInt32, _ child: inout pm_child, _ failure: inout pm_spawn_failure
    ) -> Bool {
        path.withCString { path in
            descriptors.withUnsafeBufferPointer { fds in
                var request = pm_spawn_request()
                request.path = path
                request.argv = strings.argv
                request.envp = strings.envp
                request.cwd = strings.cwd
                request.fds = fds.baseAddress
                request.fd_count = UInt32(fds.count)
                request.flags = flags | (isDetached ? UInt32(PM_SPAWN_NEW_SESSION) : 0)
                return pm_spawn(&request, &child, &failure)
            }
        }
    }

    /// Becomes the program, in this process: open descriptors stay as they are. Comes back only when it could not.
    ///
    /// - Throws: `SystemError` with operation `chdir` or `exec`.
    public func become() throws(SystemError) -> Never {
        if let directory, chdir(directory) != 0 { throw .last("chdir", directory) }
        withCStrings([path] + arguments) { argv in
            withCStrings(environment) { envp in _ = execve(path, Self.writable(argv), Self.writable(envp)) }
        }
        throw .last("exec", path)
    }

    /// execve(2) is declared to write to its arrays, for history's sake, and does not.
    private static func writable(_ strings: Texts) -> UnsafePointer<UnsafeMutablePointer<CChar>?> {
        UnsafeRawPointer(strings).assumingMemoryBound(to: UnsafeMutablePointer<CChar>?.self)
    }

    /// Waits for a child of ours to end; its status as wait(2) gives it.
    ///
    /// - Throws: `SystemError` with operation `waitpid`.
    public static func wait(for pid: pid_t) throws(SystemError) -> Int32 {
        var status: Int32 = 0
        _ = try valueOrError("waitpid") { waitpid(pid, &status, 0) }
        return status
    }
}

/// Lends a NULL-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let copies = strings.map { text in
        (ByteText.bytes(of: text) + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { $0.baseAddress.flatMap { strdup($0) } }
        }
    }
    defer { for copy in copies { free(copy) } }
    let pointers = copies.map { $0.map { UnsafePointer($0) } } + [nil]
    return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("an array with a terminator is not empty") }
        return body(base)
    }
}

/// Lends a C string, or nil for nil.
private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString(body)
}
