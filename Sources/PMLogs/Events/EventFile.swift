import Glibc
import PMModel
public import PMSystem

/// The file of events, as the daemon writes it: lines of JSON in the order of their numbers.
///
/// Lines are appended and not synced: the kernel keeps what a killed process has written, and after a power cut the last ones may
/// be missing. A file that has reached its limit is written again with half of it: of each service its last exit, which `status`
/// shows, and otherwise its newest events (`EventShares`).
public struct EventFile {
    /// The limit, unless the last exits of all services need more.
    public static let usualLimitBytes = 4 << 20  // bounded: a literal
    /// So many services keep their last exit whatever their share is.
    private static let mostPinned = 8_192

    /// The path of the file.
    public let path: String
    private let usualLimit: Int
    private var file: SharedFD?
    private var size = 0
    private var limit: Int

    /// Describes a file; nothing is opened yet.
    public init(_ path: String, limitBytes: Int = EventFile.usualLimitBytes) {
        self.path = path
        usualLimit = limitBytes
        limit = limitBytes
    }

    /// The path of the file in a state directory.
    public static func path(in stateDirectory: String) -> String { stateDirectory + "/events.jsonl" }

    /// Appends lines, each with its end.
    ///
    /// - Throws: `SystemError`. A line may be torn then, which the next append ends.
    public mutating func append(_ lines: [UInt8]) throws(SystemError) {
        do throws(SystemError) {
            var file = try opened()
            if size.plus(lines.count) > limit { file = try shrink() }
            self.file = file
            try Files.write(lines, to: file.raw, named: path)
            size = size.plus(lines.count)
        } catch {
            // How much of it was written shows the file itself.
            file = nil
            throw error
        }
    }

    /// Closes it; the next append opens it again.
    public mutating func close() { file = nil }

    private mutating func opened() throws(SystemError) -> SharedFD {
        if let file { return file }
        let file = SharedFD(try OwnedFD.open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW))
        size = Int(try Files.status(of: file.raw, path).size)
        if size > 0, try byte(at: size - 1, of: file) != EventReader.newline {
            try Files.write([EventReader.newline], to: file.raw, named: path)
            size += 1  // bounded: the size of a file
        }
        limit = max(limit, usualLimit)
        return file
    }

    private func byte(at place: Int, of file: SharedFD) throws(SystemError) -> UInt8 {
        var byte: [UInt8] = [0]
        _ = try byte.withUnsafeMutableBufferPointer { (space) throws(SystemError) in
            try FileCalls.read(file.raw, at: place, into: UnsafeMutableRawBufferPointer(space))
        }
        return byte[0]
    }

    /// Writes the file again with half of its limit.
    private mutating func shrink() throws(SystemError) -> SharedFD {
        let bytes = try Files.read(path, limit: 1 << 30)  // bounded: a literal
        let kept = bytes.withUnsafeBytes { Self.kept(of: $0, within: usualLimit / 2) }.bytes
        try Files.replace(path, with: kept)
        size = kept.count
        limit = max(usualLimit, size.times(2))
        return SharedFD(try OwnedFD.open(path, O_RDWR | O_APPEND))
    }

    /// Writes the file again with other names of services, as they are written in JSON; nothing where none differs.
    ///
    /// - Throws: `SystemError`; the file is the old one then.
    public static func rename(_ path: String, _ name: (String) -> String) throws(SystemError) {
        guard try Files.status(path) != nil else { return }
        let bytes = try Files.read(path, limit: 1 << 30)  // bounded: a literal
        var (renamed, copied): ([UInt8], Int) = ([], 0)
        bytes.withUnsafeBytes { bytes in
            EventReader.forEachLine(of: bytes) { head, line in
                let service = name(head.service)
                guard !head.service.isEmpty, service != head.service else { return }
                let start = line.lowerBound.plus(head.bytesBeforeService)
                renamed.append(contentsOf: bytes[copied..<start])
                renamed.append(contentsOf: service.utf8)
                copied = start.plus(head.service.utf8.count)
            }
        }
        guard copied > 0 else { return }
        try Files.replace(path, with: renamed + bytes[copied...])
    }

    /// The lines that stay when there is room for so many bytes, in their order.
    public static func kept(of bytes: UnsafeRawBufferPointer, within most: Int) -> (bytes: [UInt8], count: Int) {
        var (shares, lines) = (EventShares(), [Range<Int>]())
        var lastExits: [String: Int] = [:]
        EventReader.forEachLine(of: bytes) { head, line in
            if head.isExit { lastExits[head.service] = lines.count }
            shares.add(of: head.group, bytes: line.count + 1)
            lines.append(line)
        }
        for index in lastExits.values.sorted().suffix(mostPinned) { shares.pin(index) }
        var kept: (bytes: [UInt8], count: Int) = ([], 0)
        for (line, stays) in zip(lines, shares.kept(within: most)) where stays {
            kept.bytes.append(contentsOf: bytes[line])
            kept.bytes.append(EventReader.newline)
            kept.count += 1
        }
        return kept
    }
}

extension EventFile {
    /// Bytes at the end in which the last number is looked for first.
    private static let tailBytes = 4 * EventReader.longestLine  // bounded: of literals

    /// The number of the last event.
    ///
    /// - Throws: `SystemError` when the file cannot be read.
    public func lastSeq() throws(SystemError) -> UInt64 {
        let size = Int(try Files.status(path)?.size ?? 0)
        var last: UInt64 = 0
        for start in size > Self.tailBytes ? [size - Self.tailBytes, 0] : [0] where last == 0 {
            try forEachLine(from: start) { head, _ in last = max(last, head.seq) }
        }
        return last
    }

    /// The line of the last exit of each service, as its name is written in JSON.
    ///
    /// - Throws: `SystemError` when the file cannot be read.
    public func lastExits() throws(SystemError) -> [String: [UInt8]] {
        var lines: [String: [UInt8]] = [:]
        try forEachLine { head, line in if head.isExit { lines[head.service] = Array(line) } }
        return lines
    }

    private func forEachLine(
        from offset: Int = 0, _ body: (EventLine, UnsafeRawBufferPointer) -> Void
    ) throws(SystemError) {
        guard var reader = try EventReader(path, from: offset) else { return }
        while let piece = try reader.next() {
            piece.withUnsafeBytes { bytes in
                EventReader.forEachLine(of: bytes) { head, line in
                    body(head, UnsafeRawBufferPointer(rebasing: bytes[line]))
                }
            }
        }
    }
}

extension EventLine {
    /// True for the end of a process.
    var isExit: Bool { kind == "exit" }
}
