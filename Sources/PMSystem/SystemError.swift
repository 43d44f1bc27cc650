import Glibc

/// A system call that failed: what was tried, on what, and why.
public struct SystemError: Error, Equatable, Hashable, Sendable, CustomStringConvertible {
    /// The call or step, `open` or `chdir` for example.
    public let operation: String
    /// Object of the operation: a path, a name; empty when there is none to name.
    public let object: String
    /// The errno(3) value, by which callers decide.
    public let code: Int32

    /// Makes an error from an errno value.
    public init(_ operation: String, _ object: String, code: Int32) {
        self.operation = operation
        self.object = object
        self.code = code
    }

    /// `open /srv/web: No such file or directory`.
    public var description: String { "\(call): \(reason)" }

    /// The failed operation and its object: `open /srv/web`.
    public var call: String { object.isEmpty ? operation : "\(operation) \(object)" }

    /// The cause in words, as strerror(3) has them.
    public var reason: String {
        guard let text = strerror(code) else { return "error \(code)" }
        return String(cString: text)
    }

    /// The error of the call that has just failed.
    public static func last(_ operation: String, _ object: String = "") -> SystemError {
        SystemError(operation, object, code: errno)
    }
}

/// Runs a call again while a signal interrupts it, and throws when it returns -1.
@inline(__always)
func valueOrError<T: FixedWidthInteger & SignedInteger>(
    _ operation: String, _ object: @autoclosure () -> String = "", _ call: () -> T
) throws(SystemError) -> T {
    while true {
        let value = call()
        if value != -1 { return value }
        let code = errno
        if code != EINTR { throw SystemError(operation, object(), code: code) }
    }
}

/// Turns a C result of the form "non-negative or -errno" into a value or an error.
@inline(__always)
func valueOrNegated<T: FixedWidthInteger & SignedInteger>(
    _ operation: String, _ object: @autoclosure () -> String = "", _ value: T
) throws(SystemError) -> T {
    if value >= 0 { return value }
    throw SystemError(operation, object(), code: Int32(-value))
}
