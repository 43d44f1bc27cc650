import Glibc
import PMSystem

/// The system calls on a captured pipe.
enum PipeCalls {
    /// F_SETPIPE_SZ (fcntl(2)); the header hides it without _GNU_SOURCE.
    private static let setSize: Int32 = 1031

    /// The result of one read.
    enum Outcome: Equatable {
        case bytes(Int)
        case nothingNow
        case ended
    }

    static func read(_ number: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
        let count = Glibc.read(number, buffer.baseAddress, buffer.count)
        if count > 0 { return .bytes(count) }
        // Whatever else a pipe reports, no more bytes will come of it.
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothingNow : .ended
    }

    /// Sets the pipe's capacity; nil when the kernel refuses.
    static func resize(_ number: Int32, to capacity: Int) -> Int? {
        let granted = fcntl(number, setSize, Int32(clamping: capacity))
        return granted > 0 ? Int(granted) : nil
    }
}
