public import PMModel

/// An entry of the system's journal, as it goes over journald's datagram socket (the native protocol,
/// systemd-journald.service(8)).
public struct JournalEntry: Equatable, Sendable {
    /// The fields in their binary form.
    public private(set) var bytes: [UInt8] = []

    /// Makes an entry with its text.
    public init(_ message: String, _ priority: LogPriority) {
        self.init(message: Array(message.utf8), priority)
    }

    /// Makes an entry of bytes as they were written.
    public init(message: [UInt8], _ priority: LogPriority) {
        add("MESSAGE", message)
        add("PRIORITY", "\(priority.rawValue)")
    }

    /// Adds a field; names have capital letters, digits and underscores.
    public mutating func add(_ name: String, _ value: String) {
        add(name, Array(value.utf8))
    }

    private mutating func add(_ name: String, _ value: [UInt8]) {
        bytes += name.utf8
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            withUnsafeBytes(of: UInt64(value.count).littleEndian) { bytes += $0 }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }
}
