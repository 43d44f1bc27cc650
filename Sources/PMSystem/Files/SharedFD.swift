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
        self.init(owning: descriptor.release())
    }

    deinit {
        close(raw)
    }
}

/// Makes pipes, and empties them.
public enum Pipe {
    /// Content of a pipe.
    public enum Content: Equatable, Sendable {
        /// This number of bytes waits.
        case bytes(Int)
        /// No bytes wait, and a writer may add some.
        case nothing
        /// Nothing, and nobody is left to write anything.
        case ended
    }

    /// Content of the pipe of this reading end.
    public static func content(of descriptor: Int32) -> Content {
        switch pm_pipe_state(descriptor) {
        case let count where count > 0: .bytes(Int(count))
        case 0: .nothing
        default: .ended  // whatever else a pipe reports, no bytes will come of it
        }
    }

    /// Moves bytes from a pipe to a place in a file without copying them through this process: whenever it is killed, each
    /// byte is in one of the two (splice(2)).
    ///
    /// - Returns: how many, at least one.
    /// - Throws: `SystemError` of the file; EINVAL where its filesystem cannot, EAGAIN when the pipe is empty after all.
    public static func move(_ size: Int, from pipe: Int32, to file: Int32, at offset: Int) throws(SystemError) -> Int {
        let count = pm_pipe_move(pipe, file, UInt64(offset), size)
        guard count > 0 else { throw SystemError("splice", "", code: count == 0 ? EAGAIN : Int32(-count)) }
        return Int(count)
    }

    /// A pipe, both ends close-on-exec; the reading end is non-blocking, the writing end is blocking for the child.
    ///
    /// - Throws: `SystemError` with operation `pipe2`.
    public static func make() throws(SystemError) -> (reading: SharedFD, writing: SharedFD) {
        var first: Int32 = -1
        var second: Int32 = -1
        _ = try valueOrNegated("pipe2", "", pm_pipe_create(&first, &second))
        let reading = SharedFD(owning: first)
        let writing = SharedFD(owning: second)
        // A new pipe has no other flags.
        _ = try valueOrError("fcntl", "a pipe") { fcntl(reading.raw, F_SETFL, O_NONBLOCK) }
        return (reading, writing)
    }
}
