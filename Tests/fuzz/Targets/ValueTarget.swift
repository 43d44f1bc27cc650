import JSON
import JSONRPC
import PMAPI
import PMLogs
import PMModel

/// Dates, durations, sizes, numbers of accounts, ids and cursors: whatever the text, an answer and no end of the process.
enum ValueTarget {
    static func check(_ input: [UInt8]) throws(Finding) {
        let text = String(decoding: input, as: UTF8.self)
        try checkTime(text)
        try checkDuration(text)
        try checkSize(text)
        try checkAccount(text)
        try checkCursor(text)
        try checkIDs(input, text)
    }

    private static let moments = [Int64.min, -1, 0, 1, 1_764_000_000_000_000_000, .max].map {
        WallTime(nanoseconds: $0)
    }

    private static func checkTime(_ text: String) throws(Finding) {
        guard let time = WallTime(iso8601: text) else { return }
        let written = time.iso8601
        try require(written.utf8.count == 27, "a time is written in 27 characters")
        guard let again = WallTime(iso8601: written) else { throw Finding("a time that was written can be read") }
        try require(again <= time && (time - again) < .microseconds(1), "a time keeps its microseconds")
        for moment in moments { _ = (moment - time, time - moment, Duration.nanoseconds(moment.nanoseconds)) }
    }

    private static func checkDuration(_ text: String) throws(Finding) {
        guard let duration = DurationText.parse(text) else { return }
        try require(duration >= .zero, "a duration is not negative")
        let written = DurationText.parse(duration.shortForm)
        try require(written.map { duration - $0 < .milliseconds(1) } == true, "a duration keeps its milliseconds")
        for moment in moments { _ = (moment - duration).iso8601 }
        let late = MonotonicTime(nanoseconds: .max) + duration
        try require(late - MonotonicTime(nanoseconds: 0) >= duration, "a deadline is not early")
    }

    private static func checkSize(_ text: String) throws(Finding) {
        guard let size = SizeText.parse(text) else { return }
        try require(SizeText.parse(SizeText.text(size)) == size, "a size that was written reads as the same")
        _ = SizeText.short(size)
        let sums = [size.plus(.max), size.minus(.min), size.times(.max), size.times(.min)]
        try require(
            sums.allSatisfy { $0 == .max || $0 == .min || $0 == 0 || size <= 1 }, "what is too large is the largest")
    }

    private static func checkAccount(_ text: String) throws(Finding) {
        switch AccountID.read(text) {
        case .number(let number):
            try require("\(number)" == text, "the number of an account is written in one way")
            try require(!AccountID.reserved.contains(number), "what means -1 is no account")
        case .name: try require(text.utf8.first.map { !(0x30...0x39).contains($0) } == true, "a name is no number")
        case .neither: break
        }
    }

    private static func checkCursor(_ text: String) throws(Finding) {
        guard let position = LogPosition(text: text) else { return }
        try require(LogPosition(text: position.text) == position, "a cursor that was written reads as the same")
        try require(position >= .start, "a cursor is in the log")
    }

    private static func checkIDs(_ input: [UInt8], _ text: String) throws(Finding) {
        if let id = input.withBytes({ PendingCallID.parse($0) }) {
            try require("\(id)" == text, "an id is written in one way")
        }
        if let instance = InstanceName(text) {
            try require((2...Mapping.mostInstances).contains(instance.number), "an instance has a number in bounds")
        }
        if let json = try? JSONValue(parsing: input) {  // most inputs are none
            _ = (json.int, json.double)
            // A record of a death as it stands in a file that somebody has edited.
            if let record = try? DeathRecord(json: json) { _ = (record.json, record.reason.phrase) }
        }
    }
}
