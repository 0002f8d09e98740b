-- comorbidity: the ten commonest diagnoses of a cohort (SMCQL)
SELECT d.major_icd9, COUNT(*) AS cnt FROM cdiff_cohort_diagnoses d GROUP BY d.major_icd9 ORDER BY COUNT(*) DESC, d.major_icd9 LIMIT 10

-- aspirin count: patients who were given aspirin after a diagnosis (SMCQL)
SELECT COUNT(DISTINCT d.patient_id) AS rx_cnt FROM mi_cohort_diagnoses d JOIN mi_cohort_medications m ON d.patient_id = m.patient_id WHERE lower(m.medication) LIKE '%aspirin%' AND d.icd9 LIKE '414%' AND d.timestamp_ <= m.timestamp_

-- recurrent c. diff: patients with two consecutive diagnoses 15 to 56 days apart, by a self join (SMCQL, min_group 1)
WITH diags (patient_id, day, r) AS (SELECT patient_id, CAST(timestamp_ AS DATE), row_number() OVER (PARTITION BY patient_id ORDER BY timestamp_) FROM cdiff_cohort_diagnoses WHERE icd9 = '008.45') SELECT DISTINCT d1.patient_id FROM diags d1 JOIN diags d2 ON d1.patient_id = d2.patient_id AND d1.r + 1 = d2.r WHERE d2.day - d1.day >= 15 AND d2.day - d1.day <= 56

-- recurrent c. diff by LAG, counted
SELECT COUNT(DISTINCT patient_id) AS n FROM (SELECT patient_id, CAST(timestamp_ AS DATE) - LAG(CAST(timestamp_ AS DATE)) OVER (PARTITION BY patient_id ORDER BY timestamp_) AS days FROM cdiff_cohort_diagnoses WHERE icd9 = '008.45') d WHERE days BETWEEN 15 AND 56

-- credit score: persons whose scores differ by more than a threshold between agencies (Secrecy, min_group 1)
SELECT s.uid FROM (SELECT uid, MIN(score) AS cs1, MAX(score) AS cs2 FROM scores WHERE year = 2019 GROUP BY uid) s WHERE s.cs2 - s.cs1 > 200

-- credit score, counted
SELECT COUNT(*) AS n FROM (SELECT uid, MIN(score) AS cs1, MAX(score) AS cs2 FROM scores WHERE year = 2019 GROUP BY uid) s WHERE s.cs2 - s.cs1 > 200

-- password reuse: users with one password on several sites (Secrecy, min_group 1)
SELECT uid FROM passwords GROUP BY uid, pwd HAVING COUNT(*) > 1

-- password reuse, counted
SELECT COUNT(DISTINCT uid) AS n FROM (SELECT uid, pwd, COUNT(*) AS sites FROM passwords GROUP BY uid, pwd) r WHERE sites > 1

-- market share: the Herfindahl-Hirschman index of companies (Conclave)
SELECT SUM(revenue * revenue) / (SUM(revenue) * SUM(revenue)) AS hhi FROM (SELECT company, SUM(price) AS revenue FROM trips WHERE price > 0 GROUP BY company) t
