// A session of a player, from a game's server: LAUREL_KEY=lrl_sk_… GAME=… PLAYER=p-1, then run it.
// .NET ≥ 6, Mono, or Unity; JSON by Newtonsoft.Json (in Unity the package com.unity.nuget.newtonsoft-json).
using System;
using System.Collections.Generic;
using System.IO;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Newtonsoft.Json.Linq;

public sealed class Refused : Exception
{
    public Refused(string problem) : base(problem) { }
}

/// <summary>Calls the API of Laurel. One for the whole program, since it keeps its connections.</summary>
public sealed class Laurel
{
    const int Tries = 8;
    const double LongestWaitS = 60;
    readonly HttpClient http = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
    readonly Random random = new Random();
    readonly string api;

    public Laurel(string url, string key)
    {
        api = url + "/api/v1";
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    /// <summary>The answer. The same Idempotency-Key goes with each attempt: it is done once however often it is sent.</summary>
    public async Task<JObject> Call(HttpMethod method, string path, JObject body = null)
    {
        var idempotencyKey = Guid.NewGuid().ToString();
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var waitS = Math.Min(Math.Pow(2, attempt), LongestWaitS) * (0.5 + random.NextDouble() / 2);
            try
            {
                using (var request = new HttpRequestMessage(method, api + path))
                {
                    if (method == HttpMethod.Post) request.Headers.Add("Idempotency-Key", idempotencyKey);
                    if (body != null)
                        request.Content = new StringContent(body.ToString(), Encoding.UTF8, "application/json");
                    using (var answer = await http.SendAsync(request))
                    {
                        var text = await answer.Content.ReadAsStringAsync();
                        if (answer.IsSuccessStatusCode) return JObject.Parse(text);
                        // 429: too often. 503: not now. 409 with Retry-After: the attempt before is still under way.
                        var retryAfter = answer.Headers.RetryAfter?.Delta;
                        if (retryAfter == null && (int)answer.StatusCode < 500)
                            throw new Refused(text);
                        if (retryAfter != null)
                            waitS = Math.Min(retryAfter.Value.TotalSeconds, LongestWaitS) + random.NextDouble();
                    }
                }
            }
            catch (HttpRequestException) { }  // no answer: it may be stored or not, and the next attempt finds out
            catch (OperationCanceledException) { }
            await Task.Delay(TimeSpan.FromSeconds(waitS));
        }
        throw new IOException($"{method} {path} failed {Tries} times: keep it, and send it later.");
    }

    public Task<JObject> Get(string path) => Call(HttpMethod.Get, path);

    public Task<JObject> Post(string path, JObject body) => Call(HttpMethod.Post, path, body);
}

/// <summary>What a player's device hears, with a token of its own.</summary>
public sealed class Live : IDisposable
{
    readonly ClientWebSocket socket = new ClientWebSocket();

    /// <summary>Connect; afterwards every event is sure to be heard.</summary>
    public async Task Open(string address, string token)
    {
        socket.Options.AddSubProtocol("laurel.v1");
        await socket.ConnectAsync(new Uri(address), CancellationToken.None);
        await Send(new JObject { ["type"] = "authenticate", ["token"] = token });
        await Next("ready");
    }

    /// <summary>The next message of a type. A game reads in a loop and connects again after some seconds where it ends,
    /// then sends {"type": "resume", "after": id of the last event}.</summary>
    public async Task<JObject> Next(string type)
    {
        while (true)
        {
            var message = await Receive();
            if ((string)message["type"] == type) return message;
            if ((string)message["type"] == "ping") await Send(new JObject { ["type"] = "pong" });
        }
    }

    public void Dispose() => socket.Dispose();

    async Task Send(JObject message)
    {
        var bytes = Encoding.UTF8.GetBytes(message.ToString());
        await socket.SendAsync(
            new ArraySegment<byte>(bytes), WebSocketMessageType.Text, true, CancellationToken.None);
    }

    async Task<JObject> Receive()
    {
        var piece = new byte[4096];
        var whole = new MemoryStream();
        while (true)
        {
            var got = await socket.ReceiveAsync(new ArraySegment<byte>(piece), CancellationToken.None);
            if (got.MessageType == WebSocketMessageType.Close)
                throw new IOException($"Closed: {socket.CloseStatus} {socket.CloseStatusDescription}");
            whole.Write(piece, 0, got.Count);
            if (got.EndOfMessage) return JObject.Parse(Encoding.UTF8.GetString(whole.ToArray()));
        }
    }
}

public static class Session
{
    public static async Task Play(string url, string key, string game, string player)
    {
        var laurel = new Laurel(url, key);
        var path = "/players/" + Uri.EscapeDataString(player);
        Func<string, JObject> about = achievement =>
            new JObject { ["game_id"] = game, ["player"] = player, ["achievement"] = achievement };

        var token = (string)(await laurel.Post(path + "/token", new JObject { ["game_id"] = game }))["token"];
        using (var live = new Live())
        {
            await live.Open((string)(await laurel.Get(""))["live"]["websocket"], token);

            Console.WriteLine("Unlock: " + await laurel.Post("/achievements/unlock", about("first-blood")));
            var steps = about("wanderer");
            steps["steps"] = 7;
            Console.WriteLine("Progress: " + await laurel.Post("/achievements/progress", steps));
            var report = new JObject
            {
                ["game_id"] = game,
                ["player"] = player,
                ["event_id"] = Guid.NewGuid().ToString(),  // what adds has an id, and adds once
                ["stats"] = new JObject { ["distance"] = new JObject { ["add"] = 2.5 } },
            };
            Console.WriteLine("Stat: " + await laurel.Post("/stats/report", report));
            Console.WriteLine("Score: " + await laurel.Post(
                $"/leaderboards/{game}/best-lap/scores", new JObject { ["player"] = player, ["score"] = 81.25 }));

            // It comes within a second, unless the player had this achievement already: then nothing is told anew.
            var heard = await live.Next("achievement.unlocked");
            Console.WriteLine($"Heard: {heard["data"]["achievement"]["name"]} {heard["data"]["totals"]}");
        }
        Console.WriteLine("Dashboard: " + (await laurel.Get(path + "/dashboard"))["totals"]);
    }

    public static void Main()
    {
        Func<string, string> setting = Environment.GetEnvironmentVariable;
        Play(
            setting("LAUREL_URL") ?? "http://127.0.0.1:8000", setting("LAUREL_KEY"), setting("GAME"), setting("PLAYER")
        ).Wait();
    }
}
