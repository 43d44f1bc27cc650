import Glibc
import PMLogs
import PMSystem
import Testing

@Suite struct `Names of log directories` {
    @Test(arguments: [
        ("web", "web"), ("web#2", "web%232"), ("@akala/pm", "@akala%2Fpm"), (".", "%2E"), ("..", "%2E."),
        ("a.b", "a.b"), ("a%2Fb", "a%252Fb"), ("", "%"), ("caf\u{E9} \n", "caf%C3%A9%20%0A"),
    ])
    func `a unit name becomes one safe file name and back`(_ unit: String, _ name: String) {
        #expect(LogDirectory.encode(unit) == name)
        #expect(LogDirectory.decode(name) == unit)
    }

    @Test(arguments: ["a%2", "%zz", "%2f", "a b", "%41", ".x", "%FF"])
    func `a name that no unit has is nobody's`(_ name: String) {
        #expect(LogDirectory.decode(name) == nil)
    }

    @Test(arguments: [66, 67, 85, 255]) func `a long name fits into a file name, and its log is found again`(
        _ count: Int
    ) throws {
        let fixture = try LogFixture()
        let unit = String(repeating: "\u{C8FC}", count: count / 3) + String(repeating: "x", count: count % 3)
        let name = LogDirectory.encode(unit)
        #expect(name.utf8.count <= 200)
        #expect(LogDirectory.encode(unit + "#2") != name)
        fixture.store(unit).append("hello\n")
        #expect(try fixture.reader.units() == [unit])
        #expect(try fixture.lines(unit) == ["out: hello"])
    }

    @Test func `a directory whose file of the name is gone or of another unit is nobody's`() throws {
        let fixture = try LogFixture()
        let unit = String(repeating: "\u{C8FC}", count: 60)
        fixture.store(unit).append("hello\n")
        let file = fixture.directory.path(of: unit) + "/name"
        let descriptor = try OwnedFD.open(file, O_WRONLY | O_TRUNC)
        try Files.write("other".utf8, to: descriptor.raw, named: file)
        #expect(try fixture.reader.units() == [])
        unlink(file)
        #expect(try fixture.reader.units() == [])
    }

    @Test func `any name comes back, stays below its directory, and differs from others`() {
        var generator = SeededGenerator(seed: 1)
        let alphabet = Array("ab./%@#\u{E9}\u{0}\n ").map(String.init)
        var seen: [String: String] = [:]
        for _ in 0..<5000 {
            let unit = (0..<Int.random(in: 0...6, using: &generator))
                .map { _ in alphabet.randomElement(using: &generator) ?? "" }.joined()
            let name = LogDirectory.encode(unit)
            #expect(LogDirectory.decode(name) == unit)
            #expect(!name.contains("/") && !name.contains("\0") && name != "." && name != ".." && !name.isEmpty)
            #expect(seen.updateValue(unit, forKey: name) ?? unit == unit)
        }
    }
}
