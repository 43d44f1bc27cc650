import JSON
import PMTestSupport
import Testing

@Suite(.serialized) struct `pm name` {
    @Test func `makes up a name of two words, with a daemon and without`() async throws {
        try await TestProject.with { project in
            for _ in 1...2 {
                #expect(try project.must("name").wholeMatch(of: /[a-z]+-[a-z]+\n/) != nil)
                #expect(try project.json("name").string?.wholeMatch(of: /[a-z]+-[a-z]+/) != nil)
                if try project.pm("status").code == 69 { try project.startDaemon() }
            }
        }
    }

    @Test func `makes up another one each time`() async throws {
        try await TestProject.with { project in
            var names: Set<String> = []
            for _ in 1...8 { names.insert(try project.must("name")) }
            #expect(names.count > 1)
        }
    }
}
