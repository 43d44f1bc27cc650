import PMLogs
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
