-- one owner, one key
SELECT state, COUNT(*) AS n FROM alpha.people GROUP BY state ORDER BY n DESC, state

-- no key, no condition
SELECT COUNT(*) FROM alpha.people

-- no rows left, no key
SELECT COUNT(*), SUM(income), AVG(score), MIN(born), MAX(income) FROM alpha.people WHERE id > 1000

-- no rows left, with a key
SELECT state, COUNT(*), SUM(score) FROM alpha.people WHERE id > 1000 GROUP BY state

-- all aggregates over nullable columns
SELECT state, COUNT(income), SUM(income), AVG(income), MIN(income), MAX(income), SUM(score), AVG(score), MIN(score), MAX(score) FROM alpha.people GROUP BY state

-- extremes of dates, text and truth
SELECT MIN(born), MAX(born), MIN(name), MAX(name), MIN(code), MAX(code), MIN(state), MAX(state) FROM alpha.people

-- group by short text with NULLs
SELECT code, COUNT(*) FROM alpha.people GROUP BY code

-- group by long text with NULLs
SELECT name, COUNT(*), SUM(score) FROM alpha.people GROUP BY name

-- group by a boolean with NULLs
SELECT active, COUNT(*), AVG(income) FROM alpha.people GROUP BY active

-- group by year of a date
SELECT year(born) AS y, COUNT(*) AS n FROM alpha.people GROUP BY y ORDER BY y

-- group by decade
SELECT year(born) // 10 * 10 AS decade, COUNT(*) FROM alpha.people GROUP BY decade

-- group by extract and date_trunc
SELECT EXTRACT(month FROM booked) AS m, COUNT(*) FROM transactions GROUP BY EXTRACT(month FROM booked)

-- date_trunc of a timestamp
SELECT date_trunc('quarter', booked) AS q, SUM(amt) FROM transactions GROUP BY 1

-- date_trunc of a date
SELECT date_trunc('year', born) AS q, COUNT(*) FROM alpha.people GROUP BY 1

-- upper, substring, coalesce as keys
SELECT upper(state) AS s, substring(name, 1, 2) AS p, coalesce(code, 'none') AS c, COUNT(*) FROM alpha.people GROUP BY s, p, c

-- federated, no key
SELECT COUNT(*), SUM(amt), MIN(amt), MAX(booked), COUNT(channel) FROM transactions

-- federated, one nullable key
SELECT channel, COUNT(*) AS n, SUM(amt) AS total, AVG(amt) FROM transactions GROUP BY channel

-- federated, two keys with alias and ordinal
SELECT channel AS c, month(booked), MIN(other), MAX(amt) FROM transactions GROUP BY c, 2

-- distinct
SELECT DISTINCT state, active FROM alpha.people

-- distinct of a federated table
SELECT DISTINCT channel FROM transactions

-- group by without aggregates
SELECT kind FROM beta.claims GROUP BY kind

-- two owners, unique right keys
SELECT COUNT(*), SUM(c.amount), AVG(p.income) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid

-- two owners, key of each
SELECT p.state, c.kind, COUNT(*) AS n, SUM(c.amount) AS s FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.state, c.kind

-- comma join
SELECT c.kind, COUNT(*) FROM alpha.people p, beta.claims c WHERE p.id = c.pid AND p.score > 0 GROUP BY c.kind

-- join USING on several columns
SELECT COUNT(*), SUM(c.amount) FROM alpha.people JOIN beta.claims c USING (name, state)

-- join on several keys
SELECT c.kind, COUNT(*), SUM(p.score) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid AND p.state = c.state GROUP BY c.kind

-- join on nullable text of different declared values
SELECT p.state, COUNT(*), SUM(c.level) FROM alpha.people p JOIN beta.claims c ON p.state = c.state GROUP BY p.state

-- join on long text, opened
SELECT p.name, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.name = c.name GROUP BY p.name

-- join on expressions
SELECT COUNT(*), SUM(m.points) FROM alpha.people p JOIN gamma.members m ON p.id + 1 = m.mid

-- join of INTEGER with DATE parts
SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON year(p.born) % 10 = c.level

-- many to many join with measures of both sides
SELECT c.kind, SUM(c.amount), SUM(m.points), COUNT(*) FROM beta.claims c JOIN gamma.members m ON c.pid = m.mid GROUP BY c.kind

-- three owners
SELECT p.state, c.kind, COUNT(*), SUM(m.points), AVG(c.amount) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid JOIN gamma.members m ON m.mid = p.id GROUP BY p.state, c.kind

-- three owners, chain of equalities through the middle
SELECT COUNT(*), MIN(c.filed), MAX(m.joined) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid JOIN gamma.members m ON m.mid = c.pid

-- three owners, different keys
SELECT m.city, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid JOIN gamma.members m ON m.points % 10 = c.level GROUP BY m.city

-- two tables of one owner
SELECT p.state, COUNT(*), SUM(v.cost) FROM alpha.people p JOIN alpha.visits v ON p.id = v.id GROUP BY p.state

-- two tables of one owner and one of another
SELECT c.kind, COUNT(*), SUM(v.cost), SUM(c.amount), MIN(v.day) FROM alpha.people p JOIN alpha.visits v USING (id) JOIN beta.claims c ON c.pid = p.id GROUP BY c.kind

-- two tables of one owner, joined through another's key
SELECT COUNT(*), SUM(v.cost) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid JOIN alpha.visits v ON v.id = c.pid

-- federated with one owner's table
SELECT p.state, COUNT(*), SUM(t.amt) FROM transactions t JOIN alpha.people p ON t.cust = p.id GROUP BY p.state

-- federated with keys of both sides
SELECT p.state, t.channel, COUNT(*), SUM(t.amt), MIN(t.booked) FROM transactions t JOIN alpha.people p ON t.cust = p.id GROUP BY 1, 2

-- self join of a federated table
SELECT a.channel, COUNT(*), SUM(b.amt) FROM transactions a JOIN transactions b ON a.other = b.cust GROUP BY a.channel

-- self join of one owner's table
SELECT a.kind, b.kind AS other_kind, COUNT(*) FROM beta.claims a JOIN beta.claims b ON a.pid = b.pid GROUP BY 1, 2

-- pattern of federated flows: A to B and B to C
SELECT COUNT(*), SUM(a.amt), SUM(b.amt) FROM transactions a JOIN transactions b ON a.other = b.cust WHERE a.amt > 1000 AND b.amt > 1000

-- local filters of every kind
SELECT COUNT(*) FROM alpha.people WHERE (income BETWEEN 1000.5 AND 60000 OR income IS NULL) AND NOT (score IN (1, 2, 3)) AND name LIKE '%o%' AND state <> 'tas' AND born >= '1960-01-01' AND active

-- filters pushed to both owners
SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.income > 20000 AND c.amount < 15000.125 AND c.filed < TIMESTAMP '2021-01-01 12:00:00'

-- filter with OR across owners
SELECT COUNT(*), SUM(c.amount) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.income > 50000 OR c.amount < 8000

-- negated filter with OR across owners and NULLs
SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE NOT (p.active OR c.level > 4)

-- comparison between owners
SELECT c.kind, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.income > c.amount GROUP BY c.kind

-- comparison between owners with arithmetic
SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.income - 2 * c.amount > 100.25

-- comparison of a date with a timestamp of another owner
SELECT COUNT(*) FROM beta.claims c JOIN gamma.members m ON c.pid = m.mid WHERE m.joined < c.filed

-- days between the dates of two owners
SELECT COUNT(*) FROM alpha.visits v JOIN gamma.members m ON v.id = m.mid WHERE v.day - m.joined > 900

-- comparison of texts between owners
SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.name < c.name OR p.state = c.state

-- inequality of text between owners
SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.name <> c.name

-- product of two owners' columns
SELECT SUM(c.amount * m.rate), AVG(c.amount * m.rate) FROM beta.claims c JOIN gamma.members m ON c.pid = m.mid

-- sum and difference of two owners' columns
SELECT p.state, SUM(p.income - c.amount), SUM(p.income + c.amount * 2 - 1), COUNT(p.income + c.amount) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.state

-- CASE of one owner
SELECT SUM(CASE WHEN income > 30000 THEN 1 ELSE 0 END) AS rich, SUM(CASE WHEN active THEN score END) FROM alpha.people

-- CASE with another owner's condition
SELECT c.kind, SUM(CASE WHEN p.active THEN c.amount ELSE 0 END), COUNT(CASE WHEN p.score > 0 THEN 1 END), AVG(CASE WHEN c.level > 3 THEN p.income END) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY c.kind

-- CASE with a condition between owners
SELECT SUM(CASE WHEN p.income > c.amount THEN c.amount WHEN p.score > c.level THEN p.income ELSE 1 END), COUNT(CASE WHEN p.income > c.amount THEN c.amount END) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid

-- CASE as a key
SELECT CASE WHEN income < 20000 THEN 'low' WHEN income < 60000 THEN 'mid' ELSE 'high' END AS band, COUNT(*) FROM alpha.people GROUP BY band

-- simple CASE
SELECT SUM(CASE kind WHEN 'car' THEN 2 WHEN 'home' THEN 3 ELSE 5 END) FROM beta.claims

-- FILTER
SELECT COUNT(*) FILTER (WHERE p.active), SUM(c.amount) FILTER (WHERE c.level > 2 AND p.income > c.amount) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid

-- HAVING on count and sum
SELECT state, COUNT(*) AS n, SUM(income) FROM alpha.people GROUP BY state HAVING COUNT(*) > 8 AND SUM(income) > 200000.5

-- HAVING on an average
SELECT channel FROM transactions GROUP BY channel HAVING AVG(amt) > 4000

-- HAVING on a ratio
SELECT channel, SUM(amt) / COUNT(*) AS mean FROM transactions GROUP BY channel HAVING SUM(amt) / COUNT(*) > 4000.5 OR channel IS NULL

-- HAVING on a nullable sum
SELECT id, SUM(score) FROM alpha.people GROUP BY id HAVING SUM(score) > 0

-- HAVING on an empty sum
SELECT id, COUNT(*) FROM alpha.people GROUP BY id HAVING SUM(score) IS NULL

-- HAVING on extremes and keys
SELECT kind, MAX(level) AS top FROM beta.claims GROUP BY kind HAVING MAX(level) >= 5 AND MIN(filed) < '2020-06-01' AND kind <> 'home'

-- HAVING by alias, between two aggregates
SELECT p.state, SUM(p.income) AS a, SUM(c.amount) AS b FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.state HAVING a > b

-- HAVING without GROUP BY
SELECT COUNT(*) FROM alpha.people HAVING COUNT(*) > 1000

-- arithmetic over aggregates
SELECT state, ROUND(AVG(income), 2) AS mean, MAX(score) - MIN(score) AS spread, SUM(score) * 100.0 / COUNT(*) AS percent, COALESCE(SUM(income), 0) AS total FROM alpha.people GROUP BY state

-- order, limit and offset
SELECT kind, COUNT(*) AS n FROM beta.claims GROUP BY kind ORDER BY COUNT(*) DESC, kind LIMIT 2 OFFSET 1

-- order by an aggregate that is not selected
SELECT state FROM alpha.people GROUP BY state ORDER BY SUM(score) DESC NULLS LAST, state LIMIT 3

-- CTE
WITH rich AS (SELECT id, state AS s, income * 2 AS twice FROM alpha.people WHERE income > 10000), big AS (SELECT pid, amount FROM beta.claims WHERE amount > 500) SELECT s, COUNT(*), SUM(twice), SUM(amount) FROM rich JOIN big ON rich.id = big.pid GROUP BY s

-- CTE over a CTE and SELECT *
WITH a AS (SELECT * FROM alpha.people WHERE active), b AS (SELECT id, score + 1 AS next FROM a) SELECT COUNT(*), SUM(next) FROM b

-- subquery with a join inside
SELECT j.kind, SUM(j.amount) FROM (SELECT c.kind, c.amount, p.state FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.score > -20) j WHERE j.state IS NOT NULL GROUP BY j.kind

-- the same key twice and a key of a join
SELECT p.id, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.id, c.pid

-- extremes across a join
SELECT p.state, MIN(c.amount), MAX(c.amount), MIN(m.city), MAX(m.points) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid JOIN gamma.members m ON m.mid = p.id GROUP BY p.state

-- constant condition
SELECT COUNT(*), SUM(amt) FROM transactions WHERE 1 = 0

-- constants in aggregates
SELECT COUNT(1), SUM(2), SUM(2 * 3 - amt), AVG(1.5) FROM transactions

-- decimals of different scales
SELECT COUNT(*) FROM beta.claims c JOIN transactions t ON c.pid = t.cust WHERE c.amount >= t.amt AND t.amt <> 100

-- boolean comparison and IS TRUE
SELECT COUNT(*), COUNT(active) FROM alpha.people WHERE active IS TRUE OR (score > 3) = active

-- minus, absolute value and remainder
SELECT SUM(-score), SUM(abs(score)), SUM(score % 7), SUM(score // 4) FROM alpha.people

-- case-insensitive names and quoted aliases
select PEOPLE.State as "The State", count(*) as "N" from Alpha.People group by People.STATE order by "N" desc, 1

-- truth values added up
SELECT state, SUM(active), COUNT(active), SUM(score > 0) FROM alpha.people GROUP BY state

-- keys and conditions without sums
SELECT DISTINCT p.state, c.kind FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.income > c.amount

-- IN over columns of two owners
SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.score - c.level IN (1, 5, -7) OR p.active

-- dates on both sides of a shifted comparison
SELECT COUNT(*), MIN(v.day) FROM alpha.visits v JOIN gamma.members m ON v.id = m.mid WHERE v.day > m.joined + 700 AND v.day + 30 <= DATE '2021-10-01'

-- HAVING with IN and a difference of averages
SELECT kind, COUNT(*) AS n FROM beta.claims GROUP BY kind HAVING COUNT(*) IN (26, 30, 31, 33) OR AVG(amount) - AVG(level) > 9000

-- nested CASE over three owners
SELECT SUM(CASE WHEN p.active THEN CASE WHEN c.amount > m.points THEN m.points ELSE c.amount END ELSE -p.score END) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid JOIN gamma.members m ON m.mid = p.id

-- NOT over a condition between owners inside CASE
SELECT c.kind, SUM(CASE WHEN NOT (p.income > c.amount) THEN 1 ELSE 0 END) AS lower_or_equal, SUM(CASE WHEN p.income > c.amount THEN 0 ELSE 1 END) AS not_higher FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY c.kind

-- comparison of truth values of two owners
SELECT COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.active = (c.level > 4)

-- federated, joined with two owners
SELECT p.state, c.kind, COUNT(*), SUM(t.amt), SUM(t.amt * c.level) FROM transactions t JOIN alpha.people p ON t.cust = p.id JOIN beta.claims c ON c.pid = t.cust GROUP BY p.state, c.kind

-- products with many decimal places
SELECT u.channel, SUM(CASE WHEN u.amt - c.amount > 100 THEN c.amount * c.amount END), MAX(c.amount * c.amount) FROM transactions u, beta.claims c WHERE c.pid = u.cust GROUP BY u.channel

-- a wide key: text, date and number
SELECT name, born, code, COUNT(*), MAX(income) FROM alpha.people GROUP BY name, born, code

-- conversions
SELECT CAST(booked AS DATE) AS day, SUM(CAST(amt > 100 AS INTEGER)) AS n, CAST(AVG(amt) AS INTEGER) AS mean FROM transactions WHERE booked < CAST('2020-06-01' AS TIMESTAMP) GROUP BY CAST(booked AS DATE)

-- distinct values of one owner, with NULLs
SELECT state, COUNT(DISTINCT score), COUNT(DISTINCT name), COUNT(DISTINCT active), COUNT(DISTINCT id) FROM alpha.people GROUP BY state

-- distinct values of a federated table
SELECT channel, COUNT(DISTINCT cust) AS c, COUNT(DISTINCT other), COUNT(DISTINCT month(booked)) FROM transactions GROUP BY channel ORDER BY c DESC, channel

-- distinct values without a key
SELECT COUNT(DISTINCT cust), COUNT(DISTINCT channel), COUNT(*) FROM transactions

-- distinct values of nothing
SELECT COUNT(DISTINCT score), SUM(DISTINCT score), AVG(DISTINCT income), MEDIAN(score), QUANTILE_DISC(income, 0.5), VARIANCE(score) FROM alpha.people WHERE id > 1000

-- distinct values of both sides of a join
SELECT p.state, COUNT(DISTINCT c.kind), COUNT(DISTINCT p.id), COUNT(DISTINCT c.level), SUM(c.amount) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.state

-- sums and averages of distinct values
SELECT state, SUM(DISTINCT score), AVG(DISTINCT score), SUM(DISTINCT income), AVG(DISTINCT income) FROM alpha.people GROUP BY state

-- sum of distinct decimals across owners
SELECT channel, SUM(DISTINCT amt), AVG(DISTINCT other) FROM transactions GROUP BY channel

-- distinct values under a condition
SELECT kind, COUNT(DISTINCT CASE WHEN level > 4 THEN pid END), COUNT(DISTINCT pid) FILTER (WHERE amount > 9000) FROM beta.claims GROUP BY kind

-- distinct values of the key itself
SELECT channel, COUNT(DISTINCT channel), MIN(DISTINCT amt) FROM transactions GROUP BY channel

-- HAVING on distinct values
SELECT channel, month(booked) AS m, COUNT(DISTINCT cust) AS c FROM transactions GROUP BY 1, 2 HAVING COUNT(DISTINCT cust) > 2 AND COUNT(DISTINCT cust) < COUNT(*)

-- medians of numbers with NULLs
SELECT state, MEDIAN(score), MEDIAN(income), QUANTILE_CONT(score, 0.5) FROM alpha.people GROUP BY state

-- median of a federated table without a key
SELECT MEDIAN(amt), MEDIAN(other), MEDIAN(month(booked)) FROM transactions

-- quantiles and extremes that histograms of a federated table give
SELECT channel, MEDIAN(other), PERCENTILE_DISC(0.9) WITHIN GROUP (ORDER BY other), QUANTILE_DISC(cust, 0), MIN(other), MAX(cust), COUNT(DISTINCT other), SUM(DISTINCT other), AVG(amt) FROM transactions GROUP BY channel HAVING COUNT(DISTINCT cust) > 2 AND MAX(other) > 5

-- histograms of dates, booleans, texts and decimals
SELECT MIN(born), MAX(born), QUANTILE_DISC(born, 0.5), MAX(active), QUANTILE_DISC(state, 0.4), COUNT(DISTINCT state), MEDIAN(score), MIN(score + id) FROM alpha.people

-- histograms of decimals with a scale
SELECT MEDIAN(rate), QUANTILE_DISC(rate, 0.25), AVG(DISTINCT rate), MEDIAN(points) FILTER (WHERE mid < 30), MAX(points // 100), MIN(points), COUNT(DISTINCT joined) FROM gamma.members

-- histograms of nothing
SELECT MEDIAN(points), MIN(rate), QUANTILE_DISC(joined, 0.5), COUNT(DISTINCT rate), COUNT(*) FROM gamma.members WHERE mid > 1000

-- quantiles of every type
SELECT channel, QUANTILE_DISC(amt, 0.25), PERCENTILE_DISC(0.9) WITHIN GROUP (ORDER BY other), QUANTILE_DISC(booked, 0.5), QUANTILE_DISC(cust, 0), QUANTILE_DISC(cust, 1) FROM transactions GROUP BY channel ORDER BY channel

-- quantiles of text and dates
SELECT active, QUANTILE_DISC(state, 0.5), QUANTILE_DISC(name, 0.3), QUANTILE_DISC(born, 0.75), QUANTILE_DISC(active, 0.5) FROM alpha.people GROUP BY active

-- medians over a join, weighted by matches
SELECT c.kind, MEDIAN(p.score), QUANTILE_DISC(p.income, 0.4), MEDIAN(c.amount), COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY c.kind

-- median over a join of many to many
SELECT c.kind, MEDIAN(m.points), QUANTILE_DISC(c.level, 0.6) FROM beta.claims c JOIN gamma.members m ON c.pid = m.mid GROUP BY c.kind

-- HAVING on a quantile
SELECT channel FROM transactions GROUP BY channel HAVING QUANTILE_DISC(amt, 0.5) > 4000

-- variances and deviations with NULLs
SELECT state, VARIANCE(score), VAR_SAMP(income), VAR_POP(score), STDDEV(income), STDDEV_SAMP(score), STDDEV_POP(income) FROM alpha.people GROUP BY state

-- variance of a federated table, and of groups of one
SELECT cust, VAR_SAMP(amt), VAR_POP(amt), STDDEV(other), COUNT(*) FROM transactions GROUP BY cust

-- covariance and correlation of one owner's columns
SELECT active, COVAR_POP(score, income), COVAR_SAMP(income, score), CORR(score, income), CORR(score, id) FROM alpha.people GROUP BY active

-- covariance and correlation across owners
SELECT c.kind, CORR(p.score, c.level), COVAR_SAMP(p.score, c.amount), COVAR_SAMP(c.level, p.income), COVAR_POP(m.points, c.level), VAR_SAMP(m.rate) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid JOIN gamma.members m ON m.mid = p.id GROUP BY c.kind

-- correlation in small groups
SELECT id, CORR(score, income), COVAR_SAMP(score, income) FROM alpha.people GROUP BY id

-- correlation of a constant, variance under a condition, and rounded
SELECT CORR(amt, 3), ROUND(STDDEV(amt), 1) AS s, VARIANCE(CASE WHEN amt > 0 THEN amt END), VAR_POP(amt) FILTER (WHERE channel = 'web') FROM transactions

-- empty text is a value, NULL is none
SELECT name = '' AS empty, name IS NULL AS missing, COUNT(*), COUNT(name), MIN(code), MAX(city) FROM alpha.people JOIN gamma.members ON id = mid GROUP BY empty, missing

-- empty text in conditions and as a join key
SELECT c.kind, COUNT(*), COUNT(p.code) FROM alpha.people p JOIN beta.claims c ON p.name = c.name WHERE p.code = '' OR c.name <> '' OR c.name = '' GROUP BY c.kind

-- top groups by a sum, ties by key
SELECT cust, SUM(amt) AS total FROM transactions GROUP BY cust ORDER BY total DESC, cust LIMIT 5

-- top groups by a count, then by a key with NULLs first
SELECT channel, month(booked) AS m, COUNT(*) AS n FROM transactions GROUP BY 1, 2 ORDER BY n DESC, channel NULLS FIRST, m LIMIT 7 OFFSET 3

-- top groups by a nullable sum and an extreme
SELECT id, SUM(score) AS s, MAX(income) AS top FROM alpha.people GROUP BY id ORDER BY s NULLS FIRST, top DESC, id LIMIT 20

-- top groups by distinct values and a quantile
SELECT cust, COUNT(DISTINCT channel) AS c FROM transactions GROUP BY cust ORDER BY c DESC, QUANTILE_DISC(amt, 0.5) DESC, cust LIMIT 4

-- top groups of those that HAVING keeps, by text
SELECT p.name, c.kind, SUM(c.amount) AS s FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.name, c.kind HAVING COUNT(*) > 1 ORDER BY p.name DESC, c.kind LIMIT 6

-- first groups by an average, which the recipient orders
SELECT cust, AVG(amt) AS mean FROM transactions GROUP BY cust ORDER BY mean DESC LIMIT 3

-- no groups at all
SELECT cust, COUNT(*) FROM transactions GROUP BY cust ORDER BY 2, 1 LIMIT 0

-- group by over a group by: how many have how many
SELECT n, COUNT(*) AS persons FROM (SELECT cust, COUNT(*) AS n FROM transactions GROUP BY cust) GROUP BY n ORDER BY n

-- averages and extremes of totals of a federated table
SELECT COUNT(*), AVG(n), MAX(n), MIN(total), MAX(total), SUM(total), AVG(total) FROM (SELECT cust, COUNT(*) AS n, SUM(amt) AS total FROM transactions GROUP BY cust) t

-- inner groups chosen by HAVING and WHERE
SELECT COUNT(*), SUM(total) FROM (SELECT cust, COUNT(*) AS n, SUM(amt) AS total FROM transactions GROUP BY cust HAVING COUNT(*) > 1) t WHERE total > 3000.5 AND n < 4

-- inner totals that are NULL
SELECT COUNT(*), COUNT(s), SUM(s), MIN(s), MAX(s), AVG(s) FROM (SELECT cust, SUM(other) AS s, MIN(other) AS least FROM transactions GROUP BY cust) t

-- inner extremes with NULLs as outer keys
SELECT least, COUNT(*), SUM(top - least), COUNT(top) FROM (SELECT cust, MIN(other) AS least, MAX(other) AS top FROM transactions GROUP BY cust) t GROUP BY least

-- inner group by over a join
SELECT kinds, COUNT(*) AS n, MEDIAN(total), COUNT(DISTINCT total) FROM (SELECT p.id, COUNT(DISTINCT c.kind) AS kinds, SUM(c.amount) AS total FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.id) GROUP BY kinds

-- two inner keys, one outer
WITH months AS (SELECT cust, month(booked) AS m, channel, SUM(amt) AS s FROM transactions GROUP BY cust, month(booked), channel) SELECT m, channel, COUNT(*), AVG(s), MAX(s), COUNT(DISTINCT cust) FROM months WHERE channel <> 'web' OR channel IS NULL GROUP BY m, channel

-- distinct pairs, counted
SELECT channel, COUNT(*) AS n FROM (SELECT DISTINCT cust, channel FROM transactions) GROUP BY channel

-- CASE and conditions over inner totals
SELECT n > 1 AS often, SUM(CASE WHEN total > 4000 THEN total ELSE 1 END), COUNT(CASE WHEN n = 2 THEN 1 END), SUM(CASE WHEN n IN (1, 3) THEN 1 WHEN total > 5000 THEN 2 ELSE 0 END) FROM (SELECT cust, COUNT(*) AS n, SUM(amt) AS total FROM transactions GROUP BY cust) t GROUP BY n > 1

-- three levels (min_group 1)
SELECT COUNT(*), MAX(persons), SUM(n) FROM (SELECT n, COUNT(*) AS persons FROM (SELECT cust, COUNT(*) AS n FROM transactions GROUP BY cust) GROUP BY n) t

-- inner groups joined with a table of an owner
SELECT p.state, COUNT(*), SUM(t.total), MAX(t.n), AVG(p.score) FROM (SELECT cust, COUNT(*) AS n, SUM(amt) AS total FROM transactions GROUP BY cust) t JOIN alpha.people p ON p.id = t.cust GROUP BY p.state

-- two inner groups joined with each other
SELECT COUNT(*), SUM(a.n * b.n), SUM(a.total) FROM (SELECT cust, COUNT(*) AS n, SUM(amt) AS total FROM transactions GROUP BY cust) a JOIN (SELECT pid, COUNT(*) AS n FROM beta.claims GROUP BY pid) b ON a.cust = b.pid WHERE a.n > 1

-- comparison of an inner total with another owner's column
SELECT COUNT(*), SUM(p.income) FROM (SELECT cust, SUM(amt) AS total FROM transactions GROUP BY cust) t JOIN alpha.people p ON p.id = t.cust WHERE t.total > p.income

-- one inner group of all (min_group 1)
SELECT SUM(n), MAX(s), COUNT(s) FROM (SELECT COUNT(*) AS n, SUM(amt) AS s FROM transactions) t

-- no inner groups
SELECT COUNT(*), SUM(n), MAX(n) FROM (SELECT cust, COUNT(*) AS n FROM transactions WHERE cust > 1000 GROUP BY cust) t

-- top of inner groups, and truth over them
SELECT channel, SUM(n) AS s FROM (SELECT cust, channel, COUNT(*) AS n FROM transactions GROUP BY cust, channel HAVING SUM(amt) > 100) t GROUP BY channel ORDER BY s DESC, channel LIMIT 2

-- left join between owners, unmatched counted by COUNT(*) alone
SELECT COUNT(*), COUNT(c.pid), COUNT(c.amount), SUM(c.amount), AVG(c.amount), MIN(c.amount), MAX(c.filed), SUM(p.score) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid

-- left join grouped by a column of the nullable side
SELECT c.kind, COUNT(*), COUNT(c.kind), SUM(p.income), SUM(c.level) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid GROUP BY c.kind

-- left join of an unique right side
SELECT c.kind, p.state, COUNT(*), COUNT(p.id), SUM(p.income * c.amount) FROM beta.claims c LEFT JOIN alpha.people p ON p.id = c.pid GROUP BY c.kind, p.state

-- left join on nullable text keys of different declared values
SELECT p.state, c.state AS other, COUNT(*), COUNT(c.state) FROM alpha.people p LEFT JOIN beta.claims c ON p.state = c.state GROUP BY 1, 2

-- right join
SELECT p.state, COUNT(*), COUNT(p.id), SUM(c.amount) FROM alpha.people p RIGHT JOIN beta.claims c ON p.id = c.pid GROUP BY p.state

-- full join
SELECT p.state, c.kind, COUNT(*), COUNT(p.id), COUNT(c.pid), SUM(c.amount), SUM(p.income), MIN(p.born) FROM alpha.people p FULL JOIN beta.claims c ON p.id = c.pid GROUP BY p.state, c.kind

-- full join on nullable keys, both sides with NULL
SELECT COUNT(*), COUNT(p.id), COUNT(c.pid), COUNT(p.name), COUNT(c.name) FROM alpha.people p FULL JOIN beta.claims c ON p.name = c.name

-- full join with conditions of each side in ON
SELECT COUNT(*), COUNT(p.id), COUNT(c.pid), SUM(c.level) FROM alpha.people p FULL OUTER JOIN beta.claims c ON p.id = c.pid AND p.score > 0 AND c.kind = 'car'

-- full join and a condition that keeps the left rows
SELECT COUNT(*), COUNT(c.pid) FROM alpha.people p FULL JOIN beta.claims c ON p.id = c.pid WHERE p.id < 30

-- full join and a condition that keeps the right rows
SELECT COUNT(*), COUNT(p.id) FROM alpha.people p FULL JOIN beta.claims c ON p.id = c.pid WHERE c.level IS NOT NULL

-- left join with conditions of each side in ON
SELECT p.state, COUNT(*), COUNT(c.pid), SUM(c.amount) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid AND c.kind = 'car' AND p.active GROUP BY p.state

-- left join with a comparison between owners in ON, unique right side
SELECT COUNT(*), COUNT(p.id), SUM(p.income) FROM beta.claims c LEFT JOIN alpha.people p ON p.id = c.pid AND p.income > c.amount

-- left join, then only unmatched rows
SELECT p.state, COUNT(*), SUM(p.income) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid WHERE c.pid IS NULL GROUP BY p.state

-- left join and a condition that NULL may pass
SELECT COUNT(*), SUM(c.amount) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid WHERE c.kind = 'home' OR c.kind IS NULL OR p.score > 10

-- left join with constants, COALESCE and CASE over the nullable side
SELECT SUM(coalesce(c.level, 7)), SUM(CASE WHEN c.kind IS NULL THEN p.score ELSE 1 END), COUNT(coalesce(c.level, p.score)), SUM(CASE WHEN c.amount > 5000 THEN 0 ELSE 1 END) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid

-- left join with a key made of the nullable side
SELECT coalesce(c.kind, 'none') AS k, COUNT(*) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid GROUP BY k

-- left join of an empty side
SELECT p.state, COUNT(*), COUNT(c.pid), SUM(c.amount), MAX(c.kind) FROM alpha.people p LEFT JOIN (SELECT * FROM beta.claims WHERE level > 100) c ON p.id = c.pid GROUP BY p.state

-- left join from an empty side
SELECT COUNT(*), COUNT(c.pid), SUM(c.amount) FROM (SELECT * FROM alpha.people WHERE id > 1000) p LEFT JOIN beta.claims c ON p.id = c.pid

-- full join of an empty side
SELECT COUNT(*), COUNT(p.id), COUNT(c.pid) FROM (SELECT * FROM alpha.people WHERE id > 1000) p FULL JOIN beta.claims c ON p.id = c.pid

-- left join of a subquery with a constant
SELECT COUNT(*), COUNT(c.flag), SUM(c.flag) FROM alpha.people p LEFT JOIN (SELECT pid, 1 AS flag FROM beta.claims WHERE level > 2) c ON p.id = c.pid

-- left join USING
SELECT id, COUNT(*), COUNT(pid) FROM alpha.people LEFT JOIN (SELECT pid AS id, pid, amount FROM beta.claims) c USING (id) GROUP BY id

-- left join within one owner
SELECT p.state, COUNT(*), COUNT(v.id), SUM(v.cost), MAX(v.day), SUM(coalesce(v.cost, 1)) FROM alpha.people p LEFT JOIN alpha.visits v ON p.id = v.id AND v.cost > 1000 GROUP BY p.state

-- full join within one owner
SELECT COUNT(*), COUNT(p.id), COUNT(v.id), SUM(v.cost) FROM alpha.people p FULL JOIN alpha.visits v ON p.id + 20 = v.id

-- left join within one owner and another owner's table
SELECT c.kind, COUNT(*), COUNT(v.id), SUM(v.cost), SUM(c.amount) FROM alpha.people p LEFT JOIN alpha.visits v ON p.id = v.id JOIN beta.claims c ON c.pid = p.id GROUP BY c.kind

-- left join of a federated table
SELECT p.state, COUNT(*), COUNT(t.cust), SUM(t.amt), MIN(t.booked) FROM alpha.people p LEFT JOIN transactions t ON t.cust = p.id GROUP BY p.state

-- left join from a federated table
SELECT t.channel, p.active, COUNT(*), COUNT(p.id), SUM(t.amt) FROM transactions t LEFT JOIN alpha.people p ON t.other = p.id GROUP BY 1, 2

-- left join of a federated table with itself
SELECT a.channel, COUNT(*), COUNT(b.cust), SUM(b.amt) FROM transactions a LEFT JOIN transactions b ON a.other = b.cust AND b.amt > 3000 GROUP BY a.channel

-- two left joins in a chain
SELECT p.state, COUNT(*), COUNT(c.pid), COUNT(m.mid), SUM(m.points) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid LEFT JOIN gamma.members m ON m.mid = c.pid GROUP BY p.state

-- inner and left joins mixed
SELECT p.state, m.city, COUNT(*), SUM(c.amount), SUM(m.points) FROM alpha.people p LEFT JOIN gamma.members m ON m.mid = p.id JOIN beta.claims c ON p.id = c.pid GROUP BY p.state, m.city

-- left join of an inner join
SELECT p.state, COUNT(*), COUNT(j.amount), SUM(j.points) FROM alpha.people p LEFT JOIN (SELECT c.pid, c.amount, m.points FROM beta.claims c JOIN gamma.members m ON c.pid = m.mid) j ON j.pid = p.id GROUP BY p.state

-- right join after an inner join
SELECT m.city, COUNT(*), COUNT(p.id), SUM(c.amount) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid RIGHT JOIN gamma.members m ON m.mid = p.id GROUP BY m.city

-- left join that a later condition makes an inner join
SELECT COUNT(*), SUM(c.amount) FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid JOIN gamma.members m ON m.mid = c.pid WHERE c.amount > 100

-- HAVING over the nullable side
SELECT p.state, COUNT(*) AS n FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid GROUP BY p.state HAVING SUM(c.amount) > 10000 OR SUM(c.level) IS NULL

-- full join, then a left join
SELECT COUNT(*), COUNT(p.id), COUNT(c.pid), COUNT(m.mid) FROM alpha.people p FULL JOIN beta.claims c ON p.id = c.pid LEFT JOIN gamma.members m ON m.mid = c.pid

-- IN over another owner's table
SELECT p.state, COUNT(*), SUM(p.income) FROM alpha.people p WHERE p.id IN (SELECT pid FROM beta.claims WHERE level > 2) GROUP BY p.state

-- IN within one owner
SELECT state, COUNT(*), SUM(score) FROM alpha.people WHERE id IN (SELECT id FROM alpha.visits WHERE cost > 2000) GROUP BY state

-- IN with NULLs on both sides
SELECT COUNT(*), SUM(score) FROM alpha.people WHERE name IN (SELECT name FROM beta.claims)

-- IN over several columns
SELECT COUNT(*), SUM(score) FROM alpha.people WHERE (id, state) IN (SELECT pid, state FROM beta.claims)

-- NOT IN without NULLs
SELECT state, COUNT(*), SUM(score) FROM alpha.people WHERE id NOT IN (SELECT pid FROM beta.claims WHERE kind = 'car') GROUP BY state

-- NOT IN with a NULL in the subquery keeps nothing
SELECT COUNT(*), SUM(score) FROM alpha.people WHERE name NOT IN (SELECT name FROM beta.claims WHERE level > 3)

-- NOT IN over nullable columns that hold no NULL there
SELECT state, COUNT(*), SUM(score) FROM alpha.people WHERE state NOT IN (SELECT state FROM beta.claims WHERE state = 'vic') GROUP BY state

-- NOT IN of an empty subquery keeps NULLs too
SELECT COUNT(*), COUNT(name) FROM alpha.people WHERE name NOT IN (SELECT name FROM beta.claims WHERE level > 100)

-- NOT IN within one owner
SELECT COUNT(*), SUM(score) FROM alpha.people WHERE id NOT IN (SELECT id FROM alpha.visits)

-- EXISTS, correlated
SELECT p.state, COUNT(*), AVG(p.income) FROM alpha.people p WHERE EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id AND c.amount > 9000) GROUP BY p.state

-- NOT EXISTS, correlated, with a condition of the outer query inside
SELECT COUNT(*), SUM(p.score) FROM alpha.people p WHERE NOT EXISTS (SELECT * FROM beta.claims c WHERE c.pid = p.id AND p.score > 0)

-- EXISTS within one owner
SELECT p.state, COUNT(*) FROM alpha.people p WHERE EXISTS (SELECT 1 FROM alpha.visits v WHERE v.id = p.id AND v.day > p.born AND v.cost > 100) GROUP BY p.state

-- NOT EXISTS of a NULL key
SELECT COUNT(*), COUNT(p.name) FROM alpha.people p WHERE NOT EXISTS (SELECT 1 FROM beta.claims c WHERE c.name = p.name)

-- EXISTS with a comparison between owners, unique key inside
SELECT c.kind, COUNT(*), SUM(c.amount) FROM beta.claims c WHERE EXISTS (SELECT 1 FROM alpha.people p WHERE p.id = c.pid AND p.income > c.amount) GROUP BY c.kind

-- NOT EXISTS with a comparison between owners, unique key inside
SELECT c.kind, COUNT(*), SUM(c.amount) FROM beta.claims c WHERE NOT EXISTS (SELECT 1 FROM alpha.people p WHERE p.id = c.pid AND p.income > c.amount) GROUP BY c.kind

-- semi join
SELECT p.state, COUNT(*) FROM alpha.people p SEMI JOIN beta.claims c ON p.id = c.pid AND c.kind = 'home' GROUP BY p.state

-- anti join
SELECT p.state, COUNT(*), SUM(p.income) FROM alpha.people p ANTI JOIN beta.claims c ON p.id = c.pid GROUP BY p.state

-- semi and anti joins of a federated table
SELECT p.state, COUNT(*) FROM alpha.people p WHERE p.id IN (SELECT cust FROM transactions WHERE amt > 2000) AND p.id NOT IN (SELECT cust FROM transactions WHERE channel = 'web') GROUP BY p.state

-- federated rows that another owner's table has
SELECT channel, COUNT(*), SUM(amt) FROM transactions WHERE cust IN (SELECT id FROM alpha.people WHERE active) GROUP BY channel

-- federated rows without a row of the same federated table
SELECT COUNT(*), SUM(a.amt) FROM transactions a WHERE NOT EXISTS (SELECT 1 FROM transactions b WHERE b.cust = a.other AND b.amt > 4000)

-- IN over a join of two owners
SELECT p.state, COUNT(*) FROM alpha.people p WHERE p.id IN (SELECT c.pid FROM beta.claims c JOIN gamma.members m ON m.mid = c.pid WHERE m.points > 200) GROUP BY p.state

-- inner, left and semi joins in one query
SELECT p.state, COUNT(*), COUNT(c.pid), SUM(m.points) FROM alpha.people p JOIN gamma.members m ON m.mid = p.id LEFT JOIN beta.claims c ON c.pid = p.id WHERE p.id IN (SELECT cust FROM transactions) AND NOT EXISTS (SELECT 1 FROM alpha.visits v WHERE v.id = p.id AND v.cost > 4500) GROUP BY p.state

-- IN on what is no person
SELECT p.name, COUNT(*) FROM alpha.people p WHERE p.state IN (SELECT state FROM beta.claims WHERE level > 1) GROUP BY p.name

-- a left join of an inner aggregation
SELECT p.state, COUNT(*), COUNT(q.n), SUM(q.n), SUM(q.total) FROM alpha.people p LEFT JOIN (SELECT pid, COUNT(*) AS n, SUM(amount) AS total FROM beta.claims GROUP BY pid) q ON p.id = q.pid GROUP BY p.state

-- time window between owners after an equality
SELECT COUNT(*), SUM(t.amt) FROM transactions t JOIN beta.claims c ON t.cust = c.pid WHERE c.filed BETWEEN t.booked AND t.booked + INTERVAL 200 DAY

-- a transfer and the next one within a window
SELECT a.channel, COUNT(*), SUM(b.amt) FROM transactions a JOIN transactions b ON a.other = b.cust AND b.booked BETWEEN a.booked AND a.booked + INTERVAL '60 days' GROUP BY a.channel

-- months and hours added to dates and timestamps
SELECT COUNT(*), MAX(v.day), COUNT(CASE WHEN v.day + INTERVAL 1 MONTH > DATE '2021-03-31' - INTERVAL 1 MONTH THEN 1 END) FROM alpha.visits v JOIN gamma.members m ON v.id = m.mid WHERE v.day - INTERVAL 12 HOURS < m.joined + INTERVAL (2) YEARS OR m.joined IS NULL

-- time window in the ON of a left join, unique right side
SELECT COUNT(*), COUNT(p.id) FROM beta.claims c LEFT JOIN alpha.people p ON p.id = c.pid AND c.filed > p.born + INTERVAL 40 YEARS

-- join of a truth value with a number
SELECT c.kind, COUNT(*), SUM(p.score) FROM alpha.people p JOIN beta.claims c ON p.active = c.level AND p.id = c.pid GROUP BY c.kind

-- join of INTEGER with DECIMAL, and of TEXT of different length
SELECT COUNT(*), SUM(c.level) FROM beta.claims c LEFT JOIN gamma.members m ON c.level = m.rate - m.rate + 3 AND c.pid = m.mid LEFT JOIN alpha.people p ON p.name = c.name AND p.income * 0 + p.id = c.pid

-- tables without their owner, columns named beside a subquery's alias
SELECT s, COUNT(*), SUM(twice) FROM (SELECT state, score + score FROM people WHERE id < 40) AS p (s, twice) GROUP BY s

-- columns named beside the alias of a CTE, inner groups among them
WITH t (who, n, total) AS (SELECT cust, COUNT(*), SUM(amt) FROM transactions GROUP BY cust) SELECT p.state, COUNT(*), SUM(t.n), MAX(total) FROM t JOIN people p ON p.id = who GROUP BY p.state

-- an equality that every branch of an OR repeats
SELECT c.kind, COUNT(*), SUM(p.score) FROM alpha.people p, beta.claims c WHERE (p.id = c.pid AND p.score > 0 AND c.level < 5) OR (c.level > 3 AND p.id = c.pid AND p.active) OR (p.id = c.pid AND p.state = 'vic') GROUP BY c.kind

-- a branch of an OR that says no more than the others have in common
SELECT COUNT(*), SUM(score) FROM alpha.people WHERE (score > 0 AND active) OR score > 0

-- NOT LIKE and NOT ILIKE over NULLs
SELECT COUNT(*), COUNT(name), COUNT(CASE WHEN code NOT ILIKE 'A%' THEN 1 END) FROM alpha.people WHERE name NOT LIKE 'Bo%'

-- rows of one owner
SELECT id, name, state, income FROM alpha.people WHERE score > 10

-- equal rows are as many as there are
SELECT state, active FROM alpha.people

-- rows of a federated table, whose equal rows lie at several owners
SELECT channel, month(booked) AS m FROM transactions WHERE amt > 2000

-- rows of two owners
SELECT p.name, c.kind, c.amount, c.filed FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.income > c.amount

-- rows of two owners whose hidden keys repeat
SELECT p.state, c.kind FROM alpha.people p JOIN beta.claims c ON p.id = c.pid

-- rows of a many-to-many join
SELECT c.kind, c.level, m.city, m.points FROM beta.claims c JOIN gamma.members m ON c.pid = m.mid

-- all columns of a join with its USING shown once
SELECT * FROM alpha.people JOIN alpha.visits USING (id) WHERE cost > 2000

-- all columns of one table of two
SELECT c.*, p.born FROM beta.claims c JOIN alpha.people p ON p.id = c.pid WHERE c.level > 6

-- rows with expressions and constants
SELECT 'x' AS mark, upper(p.name) AS n, c.level + 1 AS l, CASE WHEN c.amount > 5000 THEN 'big' END AS size FROM alpha.people p JOIN beta.claims c ON p.id = c.pid

-- rows of a left join, some made up of NULLs
SELECT p.id, p.state, c.kind, c.amount FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid AND c.level > 4

-- rows of a full join of two owners
SELECT p.id, c.pid, c.kind, p.score FROM alpha.people p FULL JOIN beta.claims c ON p.id = c.pid

-- rows that another owner's rows test
SELECT id, born FROM alpha.people WHERE id NOT IN (SELECT pid FROM beta.claims) AND EXISTS (SELECT 1 FROM gamma.members WHERE mid = id)

-- rows of inner groups
SELECT cust, n, total FROM (SELECT cust, COUNT(*) AS n, SUM(amt) AS total FROM transactions GROUP BY cust) WHERE n > 2

-- rows joined to inner groups
SELECT p.id, p.name, t.total FROM alpha.people p JOIN (SELECT cust, SUM(amt) AS total FROM transactions GROUP BY cust HAVING COUNT(*) > 1) t ON t.cust = p.id

-- the first rows
SELECT p.id, c.kind, c.amount FROM alpha.people p JOIN beta.claims c ON p.id = c.pid ORDER BY c.amount DESC NULLS LAST, p.id, c.kind LIMIT 7

-- the first rows end among equal ones
SELECT state, active FROM alpha.people ORDER BY active DESC, state LIMIT 9

-- rows after the first ones
SELECT channel, amt FROM transactions ORDER BY amt DESC, channel LIMIT 5 OFFSET 4

-- rows of a limit that is larger than the table
SELECT kind, level FROM beta.claims ORDER BY kind, level LIMIT 500

-- no rows at all
SELECT id, name FROM alpha.people WHERE id > 1000 ORDER BY id LIMIT 3

-- no rows wanted
SELECT id FROM alpha.people ORDER BY id LIMIT 0

-- rows in an order by an expression
SELECT id, score FROM alpha.people WHERE score IS NOT NULL ORDER BY abs(score), id

-- keys that follow from another key, beside one that doesn't
SELECT p.state, p.id, p.name, c.kind, COUNT(*), SUM(c.amount), MIN(c.level) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.state, p.id, p.name, c.kind

-- keys that follow from another owner's key
SELECT m.mid, p.name, p.born, COUNT(*), SUM(m.points) FROM gamma.members m JOIN alpha.people p ON p.id = m.mid GROUP BY p.name, m.mid, p.born

-- keys of an optional side beside its person
SELECT c.pid, p.state, p.name, COUNT(*) FROM beta.claims c LEFT JOIN alpha.people p ON p.id = c.pid GROUP BY c.pid, p.state, p.name

-- rows of two joined tables of one owner, told apart by a key of one
SELECT q.state, q.id, q.code, COUNT(*), SUM(c.amount) FROM beta.claims c JOIN alpha.people p ON p.id = c.pid JOIN alpha.people q ON q.id = p.score GROUP BY q.state, q.id, q.code

-- inner groups whose other key follows from the person, joined by that person
SELECT p.active, COUNT(*), SUM(t.n) FROM (SELECT q.id, q.name, COUNT(*) AS n FROM transactions a JOIN alpha.people q ON q.id = a.cust GROUP BY q.id, q.name) t JOIN alpha.people p ON p.id = t.id GROUP BY p.active

-- one row beside every row of an owner (min_group 1)
SELECT p.state, COUNT(*), SUM(t.n), SUM(p.score * t.n) FROM alpha.people p, (SELECT COUNT(*) AS n, SUM(amt) AS s FROM transactions) t GROUP BY p.state

-- one row beside every row, compared with it (min_group 1)
SELECT p.state, COUNT(*), SUM(p.score) FROM alpha.people p, (SELECT MAX(level) AS top, COUNT(*) AS n FROM beta.claims) t WHERE p.score * t.top < t.n * 2 GROUP BY p.state

-- one row of nothing beside every row (min_group 1)
SELECT COUNT(*), COUNT(t.s), SUM(t.n) FROM alpha.people p, (SELECT COUNT(*) AS n, SUM(amt) AS s FROM transactions WHERE cust > 1000) t

-- one row that a condition drops (min_group 1)
SELECT COUNT(*), SUM(p.score) FROM alpha.people p, (SELECT COUNT(*) AS n FROM transactions) t WHERE t.n < 5

-- two single rows (min_group 1)
SELECT SUM(a.n), SUM(b.s), SUM(a.n * b.s) FROM (SELECT COUNT(*) AS n FROM transactions) a, (SELECT SUM(level) AS s FROM beta.claims) b

-- products of three owners in a comparison
SELECT COUNT(*), SUM(c.level) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid JOIN gamma.members m ON m.mid = p.id WHERE p.score * c.level > m.points - p.score * 3 OR p.score * c.level * m.points < 0

-- NOT over a product of two owners
SELECT COUNT(*), COUNT(CASE WHEN NOT p.score * c.level > 20 THEN 1 END), COUNT(CASE WHEN p.score * c.level > 20 THEN p.id ELSE NULL END) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE NOT (p.income * c.level > c.amount * 2 AND p.score > 0)

-- above the average of another owner (min_group 1)
SELECT p.state, COUNT(*), SUM(p.income) FROM alpha.people p WHERE p.income > (SELECT AVG(amount) FROM beta.claims) GROUP BY p.state

-- above half an average of the same owner, less another total (min_group 1)
SELECT state, COUNT(*) FROM alpha.people WHERE income > 0.5 * (SELECT AVG(income) FROM alpha.people WHERE active) - (SELECT MAX(level) FROM beta.claims) GROUP BY state

-- a value of nothing is NULL, a count of nothing is 0 (min_group 1)
SELECT COUNT(*), SUM(score) FROM alpha.people WHERE score > (SELECT AVG(level) FROM beta.claims WHERE pid > 1000) OR score > (SELECT COUNT(*) FROM beta.claims WHERE pid > 1000)

-- rows that have the greatest value (min_group 1)
SELECT c.kind, COUNT(*), SUM(c.amount) FROM beta.claims c WHERE c.level = (SELECT MAX(level) FROM beta.claims WHERE kind <> 'car') GROUP BY c.kind

-- no condition on NOT with a subquery of a NULL (min_group 1)
SELECT COUNT(*) FROM alpha.people WHERE NOT (score > (SELECT SUM(level) FROM beta.claims WHERE pid > 1000))

-- a value for each person
SELECT p.state, COUNT(*), SUM(p.income) FROM alpha.people p WHERE p.income > (SELECT 3 * AVG(t.amt) FROM transactions t WHERE t.cust = p.id) GROUP BY p.state

-- a value for each person of the same federated table
SELECT a.channel, COUNT(*), SUM(a.amt) FROM transactions a WHERE a.amt < 0.75 * (SELECT AVG(b.amt) FROM transactions b WHERE b.cust = a.cust) GROUP BY a.channel

-- the smallest of each person, ties among them
SELECT c.kind, COUNT(*), SUM(c.amount) FROM beta.claims c WHERE c.level = (SELECT MIN(b.level) FROM beta.claims b WHERE b.pid = c.pid) GROUP BY c.kind

-- a count of each person, 0 where there is none
SELECT p.state, COUNT(*), SUM(p.score) FROM alpha.people p WHERE (SELECT COUNT(*) FROM beta.claims c WHERE c.pid = p.id AND c.level > 2) <= p.score GROUP BY p.state

-- a count of values in a comparison with a constant
SELECT COUNT(*) FROM alpha.people p WHERE (SELECT COUNT(c.level) FROM beta.claims c WHERE c.pid = p.id) = 0 OR (SELECT COUNT(c.level) FROM beta.claims c WHERE c.pid = p.id) > 2

-- a value that is missing for some persons, under OR and NOT
SELECT p.state, COUNT(*), SUM(p.score) FROM alpha.people p WHERE NOT (p.income < (SELECT SUM(c.amount) FROM beta.claims c WHERE c.pid = p.id)) OR p.score > 30 OR (SELECT MAX(c.kind) FROM beta.claims c WHERE c.pid = p.id) IS NULL GROUP BY p.state

-- a value by a nullable key that is no person's (min_group 1)
SELECT p.state, COUNT(*), SUM(p.score) FROM alpha.people p WHERE p.income > (SELECT AVG(c.amount) FROM beta.claims c WHERE c.state = p.state) GROUP BY p.state

-- a value by two keys
SELECT COUNT(*), SUM(c.amount) FROM beta.claims c WHERE c.amount > (SELECT 2 * SUM(t.amt) FROM transactions t WHERE t.cust = c.pid AND t.other = c.level + 20)

-- a value filtered inside, in a subquery of IN
SELECT p.state, COUNT(*) FROM alpha.people p WHERE p.id IN (SELECT c.pid FROM beta.claims c WHERE c.amount > (SELECT SUM(t.amt) FILTER (WHERE t.channel = 'web') FROM transactions t WHERE t.cust = c.pid)) GROUP BY p.state

-- a value of inner groups (min_group 1)
WITH t AS (SELECT cust, COUNT(*) AS n, SUM(amt) AS total FROM transactions GROUP BY cust) SELECT p.state, COUNT(*), SUM(t.total) FROM t JOIN alpha.people p ON p.id = t.cust WHERE t.n = (SELECT MAX(n) FROM t) GROUP BY p.state

-- HAVING against a total of all (min_group 1)
SELECT state, COUNT(*), SUM(income) FROM alpha.people GROUP BY state HAVING SUM(income) > (SELECT SUM(income) * 0.2 FROM alpha.people) ORDER BY state

-- HAVING against averages and counts of another owner (min_group 1)
SELECT channel, COUNT(*) AS n FROM transactions GROUP BY channel HAVING AVG(amt) > (SELECT AVG(amount) FROM beta.claims WHERE level > 1) / 4 AND MAX(other) < 3 * (SELECT COUNT(*) FROM beta.claims) - 5 AND COUNT(*) > (SELECT MIN(level) FROM beta.claims)

-- HAVING against a total of nothing (min_group 1)
SELECT state, COUNT(*) FROM alpha.people GROUP BY state HAVING SUM(income) > (SELECT SUM(amt) FROM transactions WHERE cust > 1000) OR COUNT(*) > 8

-- HAVING on MIN, MAX and keys with arithmetic
SELECT p.id, COUNT(*), MAX(c.level) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid GROUP BY p.id HAVING MAX(c.level) - MIN(c.level) < COUNT(*) + 1 AND p.id * 2 > SUM(c.level)

-- IN over inner groups
SELECT p.state, COUNT(*), SUM(p.income) FROM alpha.people p WHERE p.id IN (SELECT cust FROM transactions GROUP BY cust HAVING SUM(amt) > 5000) GROUP BY p.state

-- NOT IN over inner groups
SELECT p.state, COUNT(*) FROM alpha.people p WHERE p.id NOT IN (SELECT cust FROM transactions GROUP BY cust HAVING COUNT(*) > 1) GROUP BY p.state

-- IN over groups and their totals
SELECT COUNT(*), SUM(c.amount) FROM beta.claims c WHERE (c.pid, c.level) IN (SELECT cust, COUNT(*) FROM transactions GROUP BY cust)

-- a quotient in a condition
SELECT p.state, COUNT(*) FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.income / 2 > c.amount * 1.5 - p.score / 4.0 GROUP BY p.state

-- IN over one value (min_group 1)
SELECT COUNT(*), SUM(score) FROM alpha.people WHERE id IN (SELECT MAX(pid) FROM beta.claims)

-- another owner's row of the same person with another value
SELECT p.state, COUNT(*), SUM(p.score) FROM alpha.people p WHERE EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id AND c.level <> p.score % 10) GROUP BY p.state

-- no row of the same person with another value, NULLs on both sides
SELECT p.state, COUNT(*), SUM(p.income) FROM alpha.people p WHERE NOT EXISTS (SELECT * FROM beta.claims c WHERE c.pid = p.id AND c.level <> p.score % 10 AND c.kind <> 'car') GROUP BY p.state

-- another row of a federated table, earlier or later
SELECT a.channel, COUNT(*), SUM(a.amt) FROM transactions a WHERE EXISTS (SELECT 1 FROM transactions b WHERE b.cust = a.cust AND b.booked > a.booked) AND NOT EXISTS (SELECT 1 FROM transactions c WHERE a.booked > c.booked AND a.cust = c.cust AND c.amt > 1000) GROUP BY a.channel

-- a row with a text that comes after or is the same, of other declared values
SELECT p.state, COUNT(*), SUM(p.score) FROM alpha.people p WHERE EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id AND c.state >= p.state) GROUP BY p.state

-- EXISTS with an inequality, of nothing
SELECT COUNT(*), COUNT(CASE WHEN p.score > 0 THEN 1 END) FROM alpha.people p WHERE NOT EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id AND c.level > p.score AND c.pid > 1000)

-- EXISTS with an inequality inside of IN
SELECT p.state, COUNT(*) FROM alpha.people p WHERE p.id IN (SELECT c.pid FROM beta.claims c WHERE EXISTS (SELECT 1 FROM gamma.members m WHERE m.mid = c.pid AND m.points < c.level * 50)) GROUP BY p.state

-- EXISTS under OR
SELECT p.state, COUNT(*), SUM(p.score) FROM alpha.people p WHERE p.score > 20 OR EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id AND c.level > 4) GROUP BY p.state

-- NOT EXISTS and IN under OR
SELECT p.state, COUNT(*) FROM alpha.people p WHERE NOT EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id) AND p.active OR p.id IN (SELECT mid FROM gamma.members WHERE points > 300) GROUP BY p.state

-- two tests under OR, of NULL keys
SELECT COUNT(*), COUNT(p.name) FROM alpha.people p WHERE EXISTS (SELECT 1 FROM beta.claims c WHERE c.state = p.state AND c.pid = p.id) OR NOT (p.id NOT IN (SELECT cust FROM transactions WHERE amt > 8000))

-- EXISTS with an inequality under OR and NOT
SELECT p.state, COUNT(*), SUM(p.income) FROM alpha.people p WHERE p.score < 0 OR NOT EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id AND c.level < p.score % 10) GROUP BY p.state

-- IN over several columns under OR
SELECT COUNT(*) FROM transactions t WHERE t.amt > 8000 OR (t.cust, t.cust + 1) IN (SELECT pid, pid + 1 FROM beta.claims)

-- first row of each person of a federated table
SELECT channel, COUNT(*), SUM(amt), MIN(booked) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY cust ORDER BY booked) AS rn FROM transactions) t WHERE rn = 1 GROUP BY channel

-- latest row of each person of a federated table, by QUALIFY
SELECT COUNT(*), SUM(amt), MAX(booked) FROM (SELECT cust, amt, booked FROM transactions QUALIFY ROW_NUMBER() OVER (PARTITION BY cust ORDER BY booked DESC) = 1) t

-- days between consecutive rows, within one owner
SELECT COUNT(*), SUM(cost), MIN(gap), MAX(gap) FROM (SELECT id, cost, day - LAG(day) OVER (PARTITION BY id ORDER BY day, cost) AS gap FROM alpha.visits) v WHERE gap BETWEEN 5 AND 200

-- days between consecutive rows of several owners
SELECT channel, COUNT(*), AVG(amt), COUNT(prev) FROM (SELECT cust, channel, amt, LAG(amt) OVER w AS prev, LEAD(other) OVER w AS next FROM transactions WINDOW w AS (PARTITION BY cust ORDER BY booked, amt)) t WHERE prev < amt OR next IS NULL GROUP BY channel

-- ranks with ties over several owners
SELECT r, d, COUNT(*), SUM(n), COUNT(DISTINCT cust) FROM (SELECT cust, RANK() OVER (PARTITION BY cust ORDER BY channel) AS r, DENSE_RANK() OVER (PARTITION BY cust ORDER BY channel) AS d, COUNT(*) OVER (PARTITION BY cust) AS n FROM transactions) t GROUP BY r, d

-- ranks in mixed directions with NULLs first
SELECT r, COUNT(*), SUM(n) FROM (SELECT cust, RANK() OVER (PARTITION BY cust ORDER BY channel DESC NULLS FIRST, other NULLS FIRST) AS r, ROW_NUMBER() OVER (PARTITION BY cust ORDER BY other DESC, booked) AS n FROM transactions) t WHERE n < 4 GROUP BY r

-- shares of a partition's total
SELECT COUNT(*), SUM(total), SUM(known), MAX(total) FROM (SELECT cust, amt, SUM(other) OVER (PARTITION BY cust) AS total, COUNT(other) OVER (PARTITION BY cust) AS known FROM transactions) t WHERE 2 * amt > total

-- window over a join of two owners
SELECT kind, COUNT(*), SUM(income) FROM (SELECT p.id, p.income, c.kind, ROW_NUMBER() OVER (PARTITION BY p.id ORDER BY c.amount, c.filed, c.level, c.kind) AS n FROM alpha.people p JOIN beta.claims c ON p.id = c.pid WHERE p.active) t WHERE n = 1 GROUP BY kind

-- window over a left join of two owners (min_group 1)
SELECT COUNT(*), COUNT(kind), SUM(last) FROM (SELECT p.id, c.kind, LAG(c.level, 2) OVER (PARTITION BY p.id ORDER BY c.filed, c.amount, c.name) AS last FROM alpha.people p LEFT JOIN beta.claims c ON p.id = c.pid AND c.level IS NOT NULL) t

-- window over a left join within one owner (min_group 1)
SELECT state, COUNT(*), SUM(n), COUNT(day) FROM (SELECT p.id, p.state, v.day, ROW_NUMBER() OVER (PARTITION BY p.id ORDER BY v.day DESC, v.cost) AS n FROM alpha.people p LEFT JOIN alpha.visits v ON p.id = v.id) t WHERE n < 3 GROUP BY state

-- window over inner groups
SELECT r, COUNT(*), SUM(total), MIN(channel) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY cust ORDER BY total DESC) AS r FROM (SELECT cust, channel, SUM(amt) AS total FROM transactions WHERE channel IS NOT NULL GROUP BY cust, channel) s) t WHERE r <= 2 GROUP BY r

-- a window's rows joined with another owner's table
SELECT p.state, COUNT(*), SUM(t.amt), AVG(p.score) FROM (SELECT cust, amt, ROW_NUMBER() OVER (PARTITION BY cust ORDER BY booked) AS n FROM transactions) t JOIN alpha.people p ON p.id = t.cust AND t.n = 1 GROUP BY p.state

-- one owner's window joined with another owner's table
SELECT c.kind, COUNT(*), SUM(v.cost), COUNT(v.prev) FROM (SELECT id, cost, LAG(day) OVER (PARTITION BY id ORDER BY day, cost) AS prev, ROW_NUMBER() OVER (PARTITION BY id ORDER BY day DESC, cost DESC) AS n FROM alpha.visits WHERE cost > 100) v JOIN beta.claims c ON c.pid = v.id WHERE v.n = 1 GROUP BY c.kind

-- a window over a window
SELECT COUNT(*), SUM(amt), MAX(k) FROM (SELECT *, DENSE_RANK() OVER (PARTITION BY cust ORDER BY n DESC) AS k FROM (SELECT cust, amt, ROW_NUMBER() OVER (PARTITION BY cust ORDER BY booked) AS n FROM transactions) s) t WHERE k = 1

-- a window over one owner's window
SELECT COUNT(*), SUM(cost) FROM (SELECT *, LEAD(n) OVER (PARTITION BY id ORDER BY n DESC) AS k FROM (SELECT id, cost, ROW_NUMBER() OVER (PARTITION BY id ORDER BY day, cost) AS n FROM alpha.visits) s) t WHERE k IS NULL

-- rows that only a window numbers
SELECT n, COUNT(*) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY cust) AS n FROM transactions) t GROUP BY n

-- a window of no rows
SELECT COUNT(*), SUM(n), MAX(prev) FROM (SELECT ROW_NUMBER() OVER (PARTITION BY cust ORDER BY booked) AS n, LAG(amt) OVER (PARTITION BY cust ORDER BY booked) AS prev FROM transactions WHERE cust > 1000) t

-- partitions of text, in an order of text
SELECT COUNT(*), SUM(n), COUNT(DISTINCT prev) FROM (SELECT c.pid, ROW_NUMBER() OVER (PARTITION BY c.pid, c.state ORDER BY c.name, c.filed, c.amount, c.level) AS n, LAG(c.name) OVER (PARTITION BY c.pid, c.state ORDER BY c.name, c.filed, c.amount, c.level) AS prev FROM beta.claims c JOIN gamma.members m ON c.pid = m.mid AND m.points > 500) t WHERE n > 1

-- averages of inner groups in conditions
SELECT p.state, COUNT(*), SUM(p.score) FROM (SELECT cust, AVG(amt) AS a, COUNT(*) AS n FROM transactions GROUP BY cust) t JOIN alpha.people p ON p.id = t.cust WHERE t.a > 2000 AND t.a < p.income / 3 GROUP BY p.state

-- arithmetic over aggregates of inner groups, some NULL
SELECT COUNT(*), SUM(v), COUNT(v), MAX(w), SUM(u) FROM (SELECT pid, 2 * SUM(amount) - SUM(level) AS v, MAX(level) - COUNT(*) AS w, SUM(level) * COUNT(level) AS u FROM beta.claims GROUP BY pid) t

-- a key and an aggregate in one output, named in HAVING
SELECT COUNT(*), SUM(v), MIN(v) FROM (SELECT cust, cust * 2 + COUNT(*) AS v FROM transactions GROUP BY cust HAVING v > 20) t

-- quotients of inner totals compared with each other
SELECT p.state, COUNT(*) FROM alpha.people p LEFT JOIN (SELECT pid, SUM(amount) / COUNT(*) AS r, AVG(level) AS l FROM beta.claims GROUP BY pid) t ON t.pid = p.id WHERE t.r > 1000 * t.l OR t.pid IS NULL GROUP BY p.state

-- CASE over inner aggregates
SELECT COUNT(*), SUM(flag) FROM (SELECT cust, CASE WHEN SUM(amt) > 5000 THEN 2 WHEN COUNT(*) > 2 THEN 1 ELSE 0 END AS flag FROM transactions GROUP BY cust) t

-- COALESCE of an inner total
SELECT COUNT(*), SUM(coalesce(t.s, 7)) FROM (SELECT pid, SUM(level) AS s FROM beta.claims GROUP BY pid) t

-- a column of averages, joined by what they exceed
SELECT t.channel, COUNT(*) FROM transactions t JOIN (SELECT cust, AVG(amt) FROM transactions GROUP BY cust) AS a (who, mean) ON a.who = t.cust AND t.amt >= a.mean GROUP BY t.channel

-- COALESCE and CASE of inner totals as keys, in comparisons and in arithmetic
SELECT coalesce(t.s, -1) AS k, COUNT(*), SUM(coalesce(t.s, 0) + t.n), MAX(CASE WHEN t.s > 5 THEN t.n END) FROM (SELECT pid, SUM(level) AS s, COUNT(*) AS n FROM beta.claims GROUP BY pid) t WHERE coalesce(t.s, 9) > CASE WHEN t.n > 1 THEN 2 ELSE 1 END GROUP BY k

-- inner keys by position and by name beside arithmetic
SELECT y, COUNT(*), SUM(v) FROM (SELECT AVG(amt) AS a, COUNT(*) + month(booked) AS v, cust, month(booked) AS y FROM transactions GROUP BY 3, y) t WHERE a > 100 GROUP BY y

-- calls of columns beside window functions, columns named outside
WITH g (who, gap, year) AS (SELECT cust, CAST(booked AS DATE) - LAG(CAST(booked AS DATE)) OVER (PARTITION BY cust ORDER BY booked), year(booked) FROM transactions QUALIFY month(booked) > 2 AND ROW_NUMBER() OVER (PARTITION BY cust ORDER BY booked) < 4) SELECT year, COUNT(*), SUM(gap), MAX(gap) FROM g GROUP BY year

-- union of two owners' rows
SELECT kind, COUNT(*), SUM(amount), AVG(level) FROM (SELECT pid, kind, amount, level FROM beta.claims UNION ALL SELECT mid, 'member', rate, points FROM gamma.members) u GROUP BY kind

-- union of branches with conditions and other types
WITH u AS (SELECT id AS who, cost AS v, day AS d, TRUE AS local FROM alpha.visits WHERE cost > 100 UNION ALL SELECT cust, amt, CAST(booked AS DATE), FALSE FROM transactions WHERE channel = 'web' UNION ALL SELECT pid, level, NULL, NULL FROM beta.claims) SELECT local, COUNT(*), COUNT(d), SUM(v), MIN(d), COUNT(DISTINCT who) FROM u WHERE v > 3 OR v IS NULL GROUP BY local

-- union of a join and of inner groups
SELECT s, COUNT(*), SUM(n), MAX(n) FROM (SELECT p.id, p.state AS s, c.level AS n FROM alpha.people p JOIN beta.claims c ON p.id = c.pid UNION ALL SELECT cust, MIN(channel), COUNT(*) FROM transactions GROUP BY cust) u GROUP BY s

-- union with windows below and above
SELECT COUNT(*), SUM(v), MAX(n) FROM (SELECT who, v, ROW_NUMBER() OVER (PARTITION BY who ORDER BY v DESC) AS n FROM (SELECT id AS who, cost AS v FROM alpha.visits QUALIFY ROW_NUMBER() OVER (PARTITION BY id ORDER BY day, cost) = 1 UNION ALL SELECT cust, amt FROM transactions) u) t WHERE n < 3

-- distinct rows of a union, joined with a table
SELECT p.state, COUNT(*) FROM (SELECT DISTINCT * FROM (SELECT pid FROM beta.claims UNION ALL SELECT mid FROM gamma.members) u) d JOIN alpha.people p ON p.id = d.pid GROUP BY p.state

-- union of one owner's text with a federated table's
SELECT name, COUNT(*) FROM (SELECT id, name FROM alpha.people UNION ALL (SELECT cust, channel FROM transactions UNION ALL SELECT pid, name FROM beta.claims WHERE level > 100)) u GROUP BY name

-- union without rows
SELECT COUNT(*), SUM(v) FROM (SELECT id, cost AS v FROM alpha.visits WHERE cost < 0 UNION ALL SELECT pid, amount FROM beta.claims WHERE level > 100) u

-- whether another owner has a row, inside CASE and FILTER
SELECT state, SUM(CASE WHEN id IN (SELECT pid FROM beta.claims WHERE level > 3) THEN income END), COUNT(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM gamma.members m WHERE m.mid = id) OR active) FROM alpha.people GROUP BY state

-- whether another owner has a row, as a key
SELECT EXISTS (SELECT 1 FROM beta.claims c WHERE c.pid = p.id) AS claims, COUNT(*), SUM(p.score) FROM alpha.people p GROUP BY claims

-- rows that say whether another owner has one
SELECT id, name, EXISTS (SELECT 1 FROM beta.claims WHERE pid = id) AS claims FROM alpha.people WHERE score > 10 OR id IN (SELECT mid FROM gamma.members)

-- median of a column with few values
SELECT state, MEDIAN(score), COUNT(*), STDDEV(score) FROM alpha.people GROUP BY state

-- median of a federated column with few values, without a key
SELECT MEDIAN(other), COUNT(*), AVG(amt) FROM transactions

-- quantiles of one federated column, beside sums
SELECT channel, QUANTILE_DISC(other, 0.25), MEDIAN(other), QUANTILE_DISC(other, 0), QUANTILE_DISC(other, 1), SUM(amt), COUNT(other) FROM transactions GROUP BY channel

-- HAVING and top groups by a median of few values
SELECT channel, MEDIAN(cust) AS m FROM transactions GROUP BY channel HAVING COUNT(*) > 20 ORDER BY m DESC LIMIT 2

-- quantile of declared texts
SELECT active, QUANTILE_DISC(state, 0.5) FROM alpha.people GROUP BY active

-- median of no rows
SELECT MEDIAN(level), COUNT(*), SUM(level) FROM beta.claims WHERE level > 100

-- median of the key itself
SELECT other, MEDIAN(other) FROM transactions GROUP BY other

-- median of a decimal by month
SELECT month(joined) AS m, MEDIAN(rate), QUANTILE_DISC(rate, 0.3) FROM gamma.members GROUP BY m

-- long text compared with the keys of inner groups, tested and joined (min_group 1)
SELECT c.kind, COUNT(*), SUM(n.total) FROM beta.claims c JOIN (SELECT name, SUM(amount) AS total FROM beta.claims GROUP BY name) n ON n.name = c.name WHERE c.name IN (SELECT name FROM beta.claims GROUP BY name HAVING COUNT(*) > 1) GROUP BY c.kind
