import Testing

@testable import PMSupervisor

/// Interim answers before the answer to a probe.
@Suite struct InterimAnswersTests {
    private func result(_ parts: [String]) -> (next: InterimAnswers.Next, rest: String) {
        var (answers, bytes, next) = (InterimAnswers(), [UInt8](), InterimAnswers.Next.answer)
        for part in parts {
            bytes += Array(part.utf8)
            next = answers.skip(in: &bytes)
        }
        return (next, String(decoding: bytes, as: UTF8.self))
    }

    @Test func `are skipped, in one packet and in several`() {
        let interim = ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </s.css>\r\n\r\n"]
        let answer = "HTTP/1.1 200 OK\r\n\r\n"
        #expect(result([(interim + [answer]).joined()]) == (.answer, answer))
        #expect(result(interim + [answer]) == (.answer, answer))
        #expect(result((interim + [answer]).joined().map(String.init)) == (.answer, answer))
        #expect(result(["HTTP/1.0 102 Processing\n\n" + answer]) == (.answer, answer))
    }

    @Test func `that are not whole are waited for, and other answers are not touched`() {
        #expect(result(["HTTP/1.1 103 Early\r\nlink: x\r\n"]).next == .incomplete)
        for text in [
            "HTTP/1.1 10", "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "SSH-2.0-x 100\r\n\r\n",
        ] {
            #expect(result([text]) == (.answer, text))
        }
    }

    @Test func `have an end`() {
        let one = "HTTP/1.1 102 Processing\r\n\r\n"
        #expect(result(Array(repeating: one, count: 1 + InterimAnswers.mostBytes / one.utf8.count)).next == .tooMany)
        #expect(result([one + "HTTP/1.1 103 " + String(repeating: "x", count: 1 << 14)]).next == .tooMany)
    }
}
