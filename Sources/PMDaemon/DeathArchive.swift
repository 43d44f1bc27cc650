import JSON
import PMAPI
import PMLogs
import PMModel
import PMSystem

/// Keeps the last death of each unit on disk, so that `status` knows it after the daemon was replaced.
@PMActor
final class DeathArchive {
    private let directory: String
    private let onTrouble: @PMActor (String) -> Void
    /// What is known; nil for a unit of which no death is on disk.
    private var records: [String: DeathRecord?] = [:]
    private var isBroken = false

    init(stateDirectory: String, onTrouble: @escaping @PMActor (String) -> Void) {
        directory = stateDirectory + "/deaths"
        self.onTrouble = onTrouble
    }

    /// Keeps a death.
    func keep(_ record: DeathRecord, of unit: String) {
        records[unit] = record
        do throws(SystemError) {
            try Files.makeDirectories(directory)
            try Files.replace(path(of: unit), with: record.json.serialized())
            isBroken = false
        } catch {
            // Said once until it works again: a full disk must not fill the daemon's own log.
            if !isBroken { onTrouble("the record of a death cannot be kept: \(error)") }
            isBroken = true
        }
    }

    /// The last death of a unit, if it is known.
    func last(of unit: String) -> DeathRecord? {
        if let known = records[unit] { return known }
        let record = read(unit)
        records[unit] = .some(record)
        return record
    }

    private func read(_ unit: String) -> DeathRecord? {
        do {
            return try DeathRecord(json: try JSONValue(parsing: try Files.read(path(of: unit))))
        } catch {
            // None, or one of another version: then nothing is known.
            return nil
        }
    }

    private func path(of unit: String) -> String {
        "\(directory)/\(LogDirectory.encode(unit)).json"
    }
}
