import Glibc

/// A destination of text.
protocol OutputSink: AnyObject {
    /// Writes bytes at once.
    func write(_ bytes: [UInt8])
}

extension OutputSink {
    /// Writes text as it is.
    func write(_ text: String) { write(Array(text.utf8)) }

    /// Writes text and a newline.
    func line(_ text: String) { write(Array(text.utf8) + [UInt8(ascii: "\n")]) }
}

/// A descriptor of ours.
final class DescriptorSink: OutputSink {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Writes all bytes. When nobody reads any more the program ends here, as quietly as SIGPIPE ends any other:
    /// also if our parent ignored SIGPIPE.
    func write(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if count >= 0 {
                done += count
            } else if errno == EAGAIN {
                // Somebody made the terminal or pipe non-blocking; it is shared, so it is not ours to change back.
                var set = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&set, 1, -1)
            } else if errno == EPIPE {
                signal(SIGPIPE, SIG_DFL)
                raise(SIGPIPE)
                _exit(128 + SIGPIPE)
            } else if errno != EINTR {
                return endIfResult(errno)
            }
        }
    }

    /// Results that are lost (a full disk) are a failure, and the program ends here; lost notes are not.
    private func endIfResult(_ code: Int32) {
        guard descriptor == STDOUT_FILENO else { return }
        let reason = String(cString: strerror(code))
        DescriptorSink(STDERR_FILENO).line("pm: cannot write to standard output: \(reason)")
        _exit(ExitCode.failure.rawValue)
    }
}
