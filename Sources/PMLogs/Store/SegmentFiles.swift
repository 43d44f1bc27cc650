import Glibc
import PMSystem

/// The files of one unit's log: `<sequence>.log` (bytes as the service wrote them) and `<sequence>.idx`.
public struct SegmentFiles: Sendable {
    private let logs: LogDirectory
    private let unit: String
    /// Directory of the files.
    public let directory: String

    /// Names the files of a unit, without access to the disk.
    public init(_ logs: LogDirectory, of unit: String) {
        self.logs = logs
        self.unit = unit
        directory = logs.path(of: unit)
    }

    /// Makes the directory of the files.
    func makeDirectory() throws(SystemError) { try logs.make(for: unit) }

    func data(_ sequence: UInt64) -> String { "\(directory)/\(Self.name(sequence)).log" }

    func index(_ sequence: UInt64) -> String { "\(directory)/\(Self.name(sequence)).idx" }

    /// The numbers of the segments there are, oldest first; none when there is no directory.
    func sequences() throws(SystemError) -> [UInt64] {
        let names: [String]
        do {
            names = try Files.list(directory)
        } catch  where error.code == ENOENT {
            return []
        }
        // Half a pair counts: a crash between the two unlinks of a removal leaves one.
        return Set(names.compactMap(Self.sequence(ofFile:))).sorted()
    }

    /// Bytes of both files of a segment; a missing one counts nothing.
    func footprint(_ sequence: UInt64) throws(SystemError) -> Int {
        let sizes = (try Files.status(data(sequence))?.size ?? 0, try Files.status(index(sequence))?.size ?? 0)
        return Int(sizes.0 + sizes.1)
    }

    private func remove(_ sequence: UInt64, by reclaimer: SpaceReclaimer) throws(SystemError) {
        try reclaimer.remove(data(sequence), size: Int(try Files.status(data(sequence))?.size ?? 0))
        try Files.remove(index(sequence))
    }

    /// Removes the oldest segments until a new full one fits into the limits.
    func makeRoom(for limits: LogLimits, by reclaimer: SpaceReclaimer) throws(SystemError) {
        var kept = try sequences()
        var total = 0
        for sequence in kept { total += try footprint(sequence) }
        while let oldest = kept.first {
            guard kept.count >= limits.segments || total + limits.segmentBytes > limits.totalBytes else { return }
            total -= try footprint(oldest)
            try remove(oldest, by: reclaimer)
            kept.removeFirst()
        }
    }

    private static func name(_ sequence: UInt64) -> String {
        let digits = String(sequence)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }

    private static func sequence(ofFile name: String) -> UInt64? {
        guard name.hasSuffix(".log") || name.hasSuffix(".idx") else { return nil }
        guard let number = UInt64(name.dropLast(4)), self.name(number) == name.dropLast(4) else { return nil }
        return number
    }
}
