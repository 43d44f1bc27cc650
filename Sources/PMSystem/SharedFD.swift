import CPMLinux
import Glibc

/// A descriptor that several places may hold; the last one that lets go closes it.
public final class SharedFD: Sendable {
    /// The number, for calls that borrow it.
    public let raw: Int32

    /// Takes ownership of an open descriptor.
    public init(owning raw: Int32) {
        self.raw = raw
    }

    /// Takes over what one owner had.
    public convenience init(_ descriptor: consuming OwnedFD) {
        self.init(owning: descriptor.take())
    }

    deinit {
        close(raw)
    }
}

/// Makes pipes.
public enum Pipe {
    /// A pipe, both ends close-on-exec; the reading end is non-blocking, the writing end is blocking for the child.
    ///
    /// - Throws: `SystemError` with operation `pipe2`.
    public static func make() throws(SystemError) -> (reading: SharedFD, writing: SharedFD) {
        var first: Int32 = -1
        var second: Int32 = -1
        _ = try valueOrNegated("pipe2", "", pm_pipe_create(&first, &second))
        let reading = SharedFD(owning: first)
        let writing = SharedFD(owning: second)
        try setNonBlocking(reading.raw)
        return (reading, writing)
    }
}
