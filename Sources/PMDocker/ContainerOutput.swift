import Glibc
import NIOCore
import NIOPosix

/// Passes on what a container writes, each stream to its own descriptor, and waits when nobody reads.
struct ContainerOutput: Sendable {
    /// Writing may wait: it must not hold up what serves signals.
    private let threads: NIOThreadPool
    private let output: Int32
    private let errors: Int32

    init(_ threads: NIOThreadPool, output: Int32 = STDOUT_FILENO, errors: Int32 = STDERR_FILENO) {
        self.threads = threads
        self.output = output
        self.errors = errors
    }

    /// Writes all of it.
    func write(_ piece: OutputFrames.Piece) async throws {
        let descriptor = piece.stream == .output ? output : errors
        try await threads.runIfActive {
            var rest = piece.content
            while rest.readableBytes > 0 {
                let count = rest.withUnsafeReadableBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if count < 0 && errno == EINTR { continue }
                if count < 0 && errno == EAGAIN {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&waiting, 1, -1)
                    continue
                }
                // The reader is gone: the container goes on, and there is nowhere to report it.
                guard count > 0 else { return }
                rest.moveReaderIndex(forwardBy: count)
            }
        }
    }
}
