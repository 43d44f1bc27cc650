import Testing

/// Files that turn text and bytes from outside into numbers: arithmetic in them is checked, clamped or known to be bounded.
@Suite struct ReaderTests {
    /// What may end the process by a number that somebody else chose. `// bounded: WHY` on the line or above it allows it.
    static let bans = [
        Ban(
            reason: "a number from outside could be too large: times, multipliedReportingOverflow, or // bounded: WHY",
            excuse: "bounded: ", hints: [" * ", " << ", " *= ", " <<= "]
        ) { #/[^<&] (\*|<<|\*=|<<=)\s/# },
        Ban(
            reason: "a sum of numbers from outside could be too large: plus, minus, or // bounded: WHY",
            excuse: "bounded: ", hints: ["+", "-"]
        ) {
            // A number that may be absent and one more, points of time as numbers, and sums of fields.
            #/\?\? 0\) [+-]\s|\.nanoseconds [+-]\s| [+-] \w+\.nanoseconds|\] [+-] \w+\[|reduce\([^)]*\) \{ \$0 \+\s/#
        },
        Ban(reason: "two of one name end the process", excuse: "bounded: ", hints: ["uniqueKeysWithValues"]) {
            /uniqueKeysWithValues/
        },
        Ban(
            reason: "a number with a fraction could be too large for a whole one: Int(exactly:), or // bounded: WHY",
            excuse: "bounded: ", hints: ["Double(", "rounded("]
        ) { #/Int(64)?\((Double\(|.*\.rounded\()/# },
        Ban(
            reason: "names and numbers of accounts are read by AccountID alone", hints: ["uid_t(", "gid_t("]
        ) { #/\b[ug]id_t\((text|entry|fields|\$0)/# },
        Ban(reason: "may be nil", excuse: "bounded: ", hints: ["!"]) { #/[\w)\]]!([.,)\s]|$)/# },
    ]

    /// The readers, as module and file, whatever folder. A new one that reads numbers from outside belongs here.
    private static let readers = [
        "JSON/JSONNumber", "JSONRPC/PendingCalls", "PMAPI/DeathRecord", "PMAPI/Log", "PMAPI/Scale", "PMAPI/Timestamps",
        "PMCommands/LogTime", "PMCommands/StatusTable", "PMConfig/ConfigReader+Docker",
        "PMConfig/ConfigReader+Limits", "PMConfig/ConfigReader+Policies", "PMConfig/ConfigReader+Readiness",
        "PMConfig/ConfigReader+Rights", "PMDaemon/AccountFile", "PMDaemon/Environment",
        "PMDaemon/LogCursor", "PMDaemon/LogSender", "PMDaemon/UnitAccount", "PMLogs/SegmentCursor", "PMLogs/LogFilter",
        "PMLogs/EventLine", "PMLogs/EventReader", "PMLogs/EventFile", "PMLogs/EventShares", "PMAPI/EventRecord",
        "PMLogs/LogStream", "PMLogs/SegmentReader", "PMModel/AccountID", "PMModel/DurationText", "PMModel/InstanceName",
        "PMModel/Time", "PMRouting/RecordForm", "PMSupervisor/InstanceRecord", "PMSupervisor/UnitSnapshot+Fields",
        "PMSystem/CgroupBase", "PMSystem/InitDecoder", "PMSystem/NotifySocket", "PMSystem/ProcessStat",
        "PMSystem/ProcessTable", "PMSystem/ServiceSocket", "PMSystem/UnixSocket",
    ]

    @Test func `readers of numbers from outside check their arithmetic`() throws {
        let readers = Set(Self.readers)
        let name = { (file: SourceFile) in file.module + "/" + file.path.split(separator: "/").last!.dropLast(6) }
        let files = try SourceTree.files(["Sources"], [".swift"]).filter { readers.contains(name($0)) }
        #expect(files.count == readers.count, "\(readers.subtracting(files.map(name)).sorted())")
        expectNone(files.flatMap { file in Self.bans.flatMap { $0.violations(in: file) } })
    }

    @Test(arguments: [
        ("let a = b * 1_000", 1), ("let a = b << 8", 1), ("// bounded: b is a digit\nlet a = b * 10", 0),
        ("let a = b &* 10", 0), ("let a = b.times(10)", 0), ("a *= 2", 1), ("(mark?.number ?? 0) + 1", 1),
        ("now.nanoseconds - then.nanoseconds", 1), ("numbers[11] + numbers[12]", 1), ("list.reduce(0) { $0 + $1 }", 1),
        ("Dictionary(uniqueKeysWithValues: pairs)", 1), ("Int((share * 100).rounded())", 2), ("uid_t(text)", 1),
        ("let a = b!", 1), ("a != b", 0), ("if !a {", 0), ("\"a * b\"", 0),
    ])
    func `a breach is found`(text: String, count: Int) {
        let file = SourceFile(path: "Sources/A/a.swift", text: text)
        #expect(Self.bans.flatMap { $0.violations(in: file) }.count == count)
    }
}
