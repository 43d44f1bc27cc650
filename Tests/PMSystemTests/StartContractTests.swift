import Testing

@testable import PMSystem

/// Messages of pm-init and pmd to the program that launched them.
@Suite struct StartContractTests {
    @Test(arguments: [
        StatusLine.loaded, .serving, .failed(code: 65, message: "one\ntwo\nhint: three"), .failed(code: 1, message: ""),
    ])
    func `a line is read as it was written, and is one line`(line: StatusLine) {
        #expect(line.text.last == "\n" && line.text.dropLast().allSatisfy { $0 != "\n" })
        #expect(StatusLine(line.text.dropLast()) == line)
    }

    @Test func `lines of pm-init are read, and those of a newer one are left out`() {
        #expect(StatusLine("E 75 pm is running already") == .failed(code: 75, message: "pm is running already"))
        #expect(StatusLine("E") == .failed(code: 1, message: ""))
        for text in ["", "X", "L2", "loaded", "s"] { #expect(StatusLine(text[...]) == nil) }
    }

    @Test func `a note is read whatever else is in it`() {
        let note = FailureCount(Array("failures 3\nstatus 139\nretry 1764000000\nmore words here\n".utf8))
        #expect(note?.failures == 3 && note?.status == 139)
        for text in ["", "failures 3\n", "status 1\n", "failures x\nstatus 1\n"] {
            #expect(FailureCount(Array(text.utf8)) == nil)
        }
    }
}
