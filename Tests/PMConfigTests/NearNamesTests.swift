import PMConfig
import Testing

@Suite struct NearNamesTests {
    @Test func `near names are those with few changes, nearest first`() {
        let names = ["web", "api", "web-admin", "worker", "cache", "wob"]
        #expect(NearNames.of("wbe", among: names) == ["web"])
        #expect(NearNames.of("weeb", among: names) == ["web"])
        #expect(NearNames.of("cahce", among: names) == ["cache"])
        #expect(NearNames.of("WEB", among: names).first == "web")
        #expect(NearNames.of("wxb", among: names) == ["web", "wob"])
        #expect(NearNames.of("database", among: names) == [])
        #expect(NearNames.of("web", among: ["web"]) == [])
        #expect(NearNames.of("", among: names) == [])
        #expect(NearNames.hint(for: "wxb", among: names) == #"did you mean "web" or "wob"?"#)
    }
}
