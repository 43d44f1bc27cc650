import CPMLinux
import Glibc

/// A look at a file that is to be executed.
public enum ProgramKind: Equatable, Sendable {
    /// An ELF binary.
    case binary
    /// A script; its first line names this interpreter (without the arguments' values: the whole line after `#!`).
    case script(interpreter: String)
    /// Anything else.
    case other

    /// Reads the first bytes of a file.
    ///
    /// - Throws: `SystemError` when it cannot be read.
    public init(ofFile path: String) throws(SystemError) {
        let file = try OwnedFD.open(path, O_RDONLY | O_NONBLOCK)
        var head = [UInt8](repeating: 0, count: 256)
        let count = try valueOrError("read", path) { Glibc.read(file.raw, &head, head.count) }
        head.removeSubrange(count...)
        if head.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
            self = .binary
        } else if head.starts(with: [0x23, 0x21]) {
            let line = head.dropFirst(2).prefix { $0 != 0x0A && $0 != 0x0D }
            let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            self = .script(interpreter: words.joined(separator: " "))
        } else {
            self = .other
        }
    }
}
