import CPMLinux
import Glibc

/// A look at a file that is to be executed.
public enum ProgramKind: Equatable, Sendable {
    /// An ELF binary.
    case binary
    /// A script; its first line names this interpreter (without the arguments' values: the whole line after `#!`). With a
    /// carriage return behind it, execve(2) finds no interpreter of that name.
    case script(interpreter: String, endsInReturn: Bool)
    /// Text without a first line that names an interpreter.
    case text
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
            let endsInReturn = head.dropFirst(2 + line.count).first == 0x0D
            let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            self = .script(interpreter: words.joined(separator: " "), endsInReturn: endsInReturn)
        } else {
            self = head.isEmpty || head.contains(0) ? .other : .text
        }
    }
}
