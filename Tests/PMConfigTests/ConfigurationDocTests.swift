import PMModel
import PMSystem
import PMTestSupport
import Testing

@testable import PMConfig

/// Docs/Configuration.md is true: its examples load, its defaults are the code's, and it names every key.
@Suite struct ConfigurationDocTests {
    private func page() throws -> String {
        String(decoding: try Files.read(TestPaths.root + "/Docs/Configuration.md"), as: UTF8.self)
    }

    private func blocks(_ language: String) throws -> [String] {
        try page().split(separator: "\n```").compactMap { part in
            let prefix = language + "\n"
            return part.hasPrefix(prefix) ? String(part.dropFirst(prefix.count)) : nil
        }
    }

    @Test func `each example is a configuration without errors or warnings`() throws {
        let examples = try blocks("json")
        #expect(examples.count >= 5)
        for example in examples { #expect(errors(example) == [], "\(example)") }
    }

    @Test func `the environment file of the page reads as it says`() throws {
        let text = try #require(try blocks("dotenv").first)
        let variables = try EnvironmentFile.parse(Array(text.utf8), file: "x")
        #expect(
            variables.map(\.value) == [
                "8080", "web", "hello world", #"as it $stands \n"#, "escapes: \n \t \" \\ $", "a value\non two lines",
            ])
    }

    @Test func `every key is named`() throws {
        let page = try page()
        let keys =
            ConfigReader.mappingKeys + ConfigReader.containerKeys + ConfigReader.restartKeys
            + ConfigReader.limitKeys + ["plugins", "setup.packages"]
        for key in keys { #expect(page.contains("| `\(key)` |"), "\(key)") }
        for key in ["fd", "tcp", "http", "log", "check"] { #expect(page.contains("{\"\(key)\": "), "\(key)") }
        let inProse =
            ConfigReader.deviceKeys + ConfigReader.dependencyKeys + ConfigReader.hookKeys
            + HookTrigger.allCases.map(\.rawValue) + [
                "name", "backlog", "mode", "writable", "deadline", "wait", "weight",
            ]
        for key in inProse { #expect(page.contains("`\(key)`"), "\(key)") }
    }

    @Test func `the defaults of the page are those of the code`() throws {
        let page = try page()
        let policy = RestartPolicy()
        for (key, duration) in [
            ("delay", policy.delay), ("maxDelay", policy.maxDelay), ("resetAfter", policy.resetAfter),
            ("window", policy.window), ("coolingDelay", policy.coolingDelay),
        ] {
            let shown = try #require(page.split(separator: "| `\(key)` | duration | `\"").dropFirst().first)
            #expect(DurationText.parse(String(shown.prefix { $0 != "\"" })) == duration, "\(key)")
        }
        #expect(page.contains("| `limit` | number, 0 to \(RestartPolicy.largestLimit) | `\(policy.limit)` |"))
        #expect(policy.condition == .onFailure && page.contains("| `restart` | string or object | `\"on-failure\"` |"))
        #expect(Mapping(container: "x").drain == .seconds(10) && page.contains("| `drain` | duration | `\"10s\"` |"))
        #expect(StopSequence() == StopSequence(steps: [StopStep(signal: 15, wait: .seconds(10))]))
    }
}
