// Command load is a stand-in for an engine, and a client of it, that are cheap enough to measure a gateway.
//
//	load serve ADDRESS RATE    streams RATE tokens a second, each with the time at which it was sent
//	load ask ADDRESS KEY MODEL STREAMS TOKENS    asks for so many streams at once
//	load whole ADDRESS KEY MODEL CLIENTS REQUESTS    asks for whole answers, one after the other
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const lateAfter = 100 * time.Millisecond

type request struct {
	Model     string `json:"model"`
	Stream    bool   `json:"stream"`
	MaxTokens int    `json:"max_tokens"`
	Messages  any    `json:"messages"`
}

func main() {
	switch os.Args[1] {
	case "serve":
		serve(os.Args[2], number(os.Args[3]))
	case "ask":
		ask(os.Args[2], os.Args[3], os.Args[4], number(os.Args[5]), number(os.Args[6]))
	case "whole":
		whole(os.Args[2], os.Args[3], os.Args[4], number(os.Args[5]), number(os.Args[6]))
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return value
}

func serve(address string, rate int) {
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/v1/chat/completions", func(answer http.ResponseWriter, asked *http.Request) {
		var body request
		if json.NewDecoder(asked.Body).Decode(&body) != nil {
			answer.WriteHeader(400)
			return
		}
		tokens := max(body.MaxTokens, 1)
		usage := fmt.Sprintf(`"usage":{"prompt_tokens":500,"completion_tokens":%d,"total_tokens":%d}`, tokens, 500+tokens)
		if !body.Stream {
			answer.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(answer, `{"id":"1","choices":[{"index":0,"message":{"role":"assistant","content":"x"}}],%s}`, usage)
			return
		}
		answer.Header().Set("Content-Type", "text/event-stream")
		begun := time.Now()
		for sent := 0; sent < tokens; sent++ {
			time.Sleep(time.Until(begun.Add(time.Duration(sent) * time.Second / time.Duration(rate))))
			fmt.Fprintf(answer, "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%d\"}}]}\n\n", time.Now().UnixNano())
			answer.(http.Flusher).Flush()
		}
		fmt.Fprintf(answer, "data: {\"id\":\"1\",\"choices\":[],%s}\n\ndata: [DONE]\n\n", usage)
	})
	panic(http.ListenAndServe(address, nil))
}

func post(client *http.Client, address, key, model string, stream bool, tokens, salt int) (*http.Response, error) {
	text := fmt.Sprintf("%d %s", salt, strings.Repeat("a word ", 280))
	messages := []map[string]string{{"role": "user", "content": text}}
	body, _ := json.Marshal(request{model, stream, tokens, messages})
	asked, _ := http.NewRequest("POST", "http://"+address+"/v1/chat/completions", bytes.NewReader(body))
	asked.Header.Set("Authorization", "Bearer "+key)
	asked.Header.Set("Content-Type", "application/json")
	return client.Do(asked)
}

func pool() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4096}}
}

func ask(address, key, model string, streams, tokens int) {
	client := pool()
	var lock sync.Mutex
	var all sync.WaitGroup
	var delays, firsts []time.Duration
	failed := 0
	for stream := 0; stream < streams; stream++ {
		all.Add(1)
		go func() {
			defer all.Done()
			// As clients come: spread over two seconds.
			time.Sleep(time.Duration(stream) * 2 * time.Second / time.Duration(streams))
			begun := time.Now()
			var own []time.Duration
			var first time.Duration
			response, err := post(client, address, key, model, true, tokens, stream)
			if err == nil && response.StatusCode == 200 {
				lines := bufio.NewScanner(response.Body)
				for lines.Scan() {
					if _, after, found := strings.Cut(lines.Text(), `"content":"`); found {
						sent, _ := strconv.ParseInt(strings.SplitN(after, `"`, 2)[0], 10, 64)
						if len(own) == 0 {
							first = time.Since(begun)
						}
						own = append(own, time.Since(time.Unix(0, sent)))
					}
				}
				response.Body.Close()
			}
			lock.Lock()
			defer lock.Unlock()
			if len(own) != tokens {
				failed++
				return
			}
			delays, firsts = append(delays, own...), append(firsts, first)
		}()
	}
	all.Wait()
	late := 0
	for _, delay := range delays {
		if delay > lateAfter {
			late++
		}
	}
	report(map[string]any{
		"chunks": len(delays), "late": late, "max_ms": at(delays, 1), "p50_ms": at(delays, 0.5),
		"p99_ms": at(delays, 0.99), "first_p50_ms": at(firsts, 0.5), "failed": failed,
	})
}

func whole(address, key, model string, clients, requests int) {
	client := pool()
	var lock sync.Mutex
	var all sync.WaitGroup
	var times []time.Duration
	failed := 0
	for one := 0; one < clients; one++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for count := 0; count < requests/clients; count++ {
				begun := time.Now()
				response, err := post(client, address, key, model, false, 16, one*requests+count)
				good := err == nil && response.StatusCode == 200
				if err == nil {
					new(bytes.Buffer).ReadFrom(response.Body)
					response.Body.Close()
				}
				lock.Lock()
				if good {
					times = append(times, time.Since(begun))
				} else {
					failed++
				}
				lock.Unlock()
			}
		}()
	}
	all.Wait()
	report(map[string]any{"requests": len(times), "p50_ms": at(times, 0.5), "p99_ms": at(times, 0.99), "failed": failed})
}

func at(times []time.Duration, share float64) float64 {
	if len(times) == 0 {
		return -1
	}
	sorted := append([]time.Duration{}, times...)
	sort.Slice(sorted, func(a, b int) bool { return sorted[a] < sorted[b] })
	found := sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
	return float64(found.Microseconds()) / 1000
}

func report(found map[string]any) {
	text, _ := json.Marshal(found)
	fmt.Println(string(text))
}
