import Glibc

/// The program that reads our standard output through a pipe: `pm log web -f | head -1` ends with head, not with the next line.
final class OutputReader {
    /// Standard output when it is a pipe, to be waited on; nil when it is none.
    private(set) var pipe: Int32?

    init() {
        var status = stat()
        guard fstat(STDOUT_FILENO, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else { return }
        pipe = STDOUT_FILENO
    }

    /// True when the reader has closed its end. A pipe that is readable for another reason (a program opened it for
    /// both directions) shows nothing about its reader, and is not waited on any more.
    var isGone: Bool {
        var entry = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
        if poll(&entry, 1, 0) > 0, Int32(entry.revents) & POLLERR != 0 { return true }
        pipe = nil
        return false
    }
}
